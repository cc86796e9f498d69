"""The events behind a finding: those that are counted in it, and those of its chain, whenever they were.

Each source's search asks a subsearch at which times the finding's events lie and for a word of whoever acted, so that
no more than that is read: https://help.splunk.com/en/splunk-enterprise/search/search-manual/10.0/subsearches
Of a source that the finding is not of it finds nothing. What is read is then compared with the finding, field by field.
"""

from __future__ import annotations

from typing import Callable, Mapping

from source_fields import given, lists
from spl import Fields, condition_spl

from cba.detection.model import Detection
from cba.terms import SOURCES
from pages.spl import quoted, token

QUARTER = 900
"""Seconds within which the events of one step of a chain lie: a row of a search stands for a quarter of an hour."""
MOST = 200
"""Events that are shown."""
WORD = r"^[A-Za-z0-9._+-]{3,}$"
"""The last word of a name that stands in raw events as it is; with other letters it may be written otherwise there. Of
an address only what is before the @: a guest's has a # in the tenant's logs."""

FINDING = f"""\
| inputlookup cba_findings where finding_id={token("finding")}
| sort 0 - severity_id, - last_time
| head 1"""
"""SPL that gives the finding that is looked at; * stands for the most severe one there is."""

STEPS = r"""
| rex field=chain_steps max_match=0 "\"time\":(?<step_time>\d+)"
| rex field=chain_steps max_match=0 "\"who\":\"(?<step_who>[^\"]*)\""
| eval who=mvdedup(mvappend(if(source_kind="endpoint", host, identity), step_who))""".strip()
"""SPL that adds when the steps of a finding's chain were, and everybody who acted."""

OF_IT, OF_CHAIN, BESIDE = "the finding", "its chain", "beside it"

PART_COLOURS = {OF_IT: "#E8743B", OF_CHAIN: "#F0B93A", BESIDE: "#D0D5DB"}
GIVEN = "triaged_time>0"
"""Whether an analyst has said something of a finding."""

ABOUT = (
    "action", "function", "role", "runtime_exact", "flow", "connector", "destination", "script", "script_title",
    "access", "api_client", "pod", "container_command", "secret_name", "secret_namespace", "secret_operation",
    "compute_region", "resource", "process",
)  # fmt: skip
"""Fields that say what an event was about, most telling first."""
LISTED = frozenset(name for source in SOURCES for name in lists(source))


def search(detections: Mapping[str, Detection]) -> str:
    """SPL for all events of a finding and whatever else those who acted did meanwhile, the latest first. `part` says
    what each has to do with the finding."""
    first, *others = (_of_source(source) for source in SOURCES)
    appended = "\n".join(f"| append [ {each} ]" for each in others)
    keys = sorted({name for detection in detections.values() for name in detection.deduplicate_by} | {"src_ip"})
    asked = ", ".join(f"cba_{name}={name}" for name in keys)
    spread = " ".join(f"values(cba_{name}) AS cba_{name}" for name in keys)
    return f"""
{first}
{appended}
| cbageo ip=src_ip database=`cba_ip_database`
| append
    [{_indented(FINDING)}
    {_indented(STEPS)}
    | eval cba_detection=detection, cba_first=first_time, cba_last=last_time, {asked}
    | table cba_* step_time who]
| eventstats values(cba_detection) AS cba_detection values(cba_first) AS cba_first values(cba_last) AS cba_last
    max(step_time) AS chain_last min(step_time) AS chain_first values(who) AS who {spread}
| where isnotnull(_time)
| eval actor=if(isnotnull(host) AND source_kind="endpoint", host, identity),
    kind=case({_each(detections, _kind)}, true(), 1),
    key=case({_each(detections, _key)}, true(), 1),
    part=case(kind=1 AND key=1 AND _time>=cba_first AND _time<cba_last+1, "{OF_IT}",
        kind=1 AND _time>=chain_first AND _time<chain_last+{QUARTER}, "{OF_CHAIN}",
        true(), "{BESIDE}")
| where like("|".mvjoin(who, "|")."|", "%|".actor."|%")
| sort {MOST} - _time
"""


def _each(detections: Mapping[str, Detection], said: Callable[[Detection], str]) -> str:
    return ",\n        ".join(f'cba_detection="{name}", if({said(each)}, 1, 0)' for name, each in detections.items())


def _kind(detection: Detection) -> str:
    """Whether an event is one that the detection looks at."""
    if detection.candidates is None:
        return "true()"
    fields = dict.fromkeys(name for source in detection.sources for name in given(source))
    return f"({condition_spl(detection.candidates, Fields(fields))})"


def _key(detection: Detection) -> str:
    """Whether an event is of the behaviour that the finding is about. Where an address is has been decided with lists
    that people edit, so the finding's own address counts as well."""
    told = dict.fromkeys(name for source in detection.sources for name in given(source))
    names = [name for name in detection.deduplicate_by if name in told and name not in ("identity", "host")]
    who = ["identity=cba_identity"] if "identity" in detection.deduplicate_by else []
    same = [f'like(cba_{name}, "%".{name})' for name in names]
    if "region" in names:  # a service that has none leaves no region, wherever its calls are logged
        same[names.index("region")] = "(region=cba_region OR isnotnull(global_service))"
    if "country" in detection.deduplicate_by:
        same.append("(country=cba_country OR src_ip=cba_src_ip)")
    return " AND ".join([*who, *same]) or "true()"


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def _of_source(source: str) -> str:
    return f"""search `cba_base_{source}`
    [{_indented(FINDING)}
    | where source_kind="{source}"
    {_indented(STEPS)}
    | eval at=mvappend(first_time, last_time, step_time)
    | mvexpand at
    | mvexpand who
    | eval word=mvindex(split(mvindex(split(replace(who, "[\\\\\\\\:]", "/"), "/"), -1), "@"), 0),
        odd=if(match(word, "{WORD}"), 0, 1)
    | stats min(at) AS from max(at) AS to values(word) AS word sum(odd) AS odd
    | where isnotnull(from)
    | eval search="earliest=".from." latest=".(to+{QUARTER}).if(odd=0, " (\\"".mvjoin(word, "\\" OR \\"")."\\")", "")
    | table search]
| `cba_fields_{source}`"""


def _each_of(name: str) -> str:
    """The eval expression for the values of a field; some hold a JSON array, as text."""
    return f'if(match({name}, "^\\["), json_array_to_mv({name}), {name})' if name in LISTED else name


def _about() -> str:
    """The eval expression for what an event was about: the most telling three fields that it has."""
    words = ", ".join(
        f'if(isnotnull({name}) AND {name}!="", "{name.replace("_", " ")} ".mvjoin({_each_of(name)}, ", "), null())'
        for name in ABOUT
    )
    return f'mvjoin(mvindex(mvappend({words}), 0, 2), "; ")'


TABLE = f"""| lookup cba_countries country OUTPUT name AS country_name
| eval When=strftime(_time, "%Y-%m-%d %H:%M:%S %Z"), Part=part, Who=actor, Did=operation, About={_about()},
    place=coalesce(country_name, if(country="-" OR country="private", null(), country)),
    From=mvjoin(mvappend(place, as_org, src_ip), ", "),
    Result=coalesce(outcome, "")
| eval _earliest=floor(_time), _latest=floor(_time)+1,
    _search="search `cba_events_".source_kind."` | search operation=".{quoted("operation")}." "
        .if(source_kind="endpoint", "host=", "identity=").{quoted("actor")}
| table When Part Who Did About From Result _search _earliest _latest
"""
"""SPL that shows the events of `search`."""
