"""default/savedsearches.conf: one search per source that judges, one per variation that raises, and the upkeep.

A source's events are read once and serve every detection: found since the mark, normalised, reduced to rows whose
fields are those that anybody asks for (`shapes`), placed, judged.
"""

from __future__ import annotations

import json
import re
from typing import Iterable, Iterator, Mapping, Sequence

import story
from pages import freshness
from risk import RISK_SCORES
from shapes import Shape, home_facts
from spl import compact, quoted
from words import in_words

from cba.detection.model import (
    BASE,
    BREAKER_SEARCH,
    MAINTENANCE_SEARCH,
    QUARANTINE_SEARCH,
    SETUP_SEARCH,
    START_SEARCH,
    Detection,
    Variation,
    list_name,
    source_search,
    variation_search,
)
from cba.detection.reader import Content
from cba.findings.flood import SEVERITY, VARIATION
from cba.judging.rows import CANDIDATE_OF, SKIP_REASON
from cba.terms import LISTED_CHARACTERS, LISTED_SEPARATOR, LISTED_VALUES, PLACELESS, SOURCES, severity_rank

# Minutes within the quarter of an hour: a minute for each source, then what reads their findings.
JUDGE_MINUTES = range(1, 8)
RAISE_MINUTES = range(9, 15)
# The window comes from the mark (cbawindow) and overrides these; AppInspect asks for a bound. No run reads further
# back.
JUDGE_EARLIEST = "-7d@d"
# Training and activation together.
BACKFILL_EARLIEST = "-44d@d"
ROWS_EARLIEST = "-30d@d"

# Capped so that one detection cannot make an entity a risk incident by repetition alone (the sum is also throttled).
RISK_OBJECT_TYPES = {"identity": "user", "host": "system"}

JUDGED = "cba_judged"
"""Helper field: 1 of an event that is judged, although it may have no place."""

Stanza = dict[str, str]


def savedsearches_conf(content: Content, shapes: Mapping[str, Shape], about: story.Story, generated: str) -> str:
    """default/savedsearches.conf; `generated` says so at its top."""
    stanzas: dict[str, Stanza] = {}
    for place, source in enumerate(SOURCES):
        stanzas.update(_of_source(source, shapes[source], content, place))
    for place, (detection, variation) in enumerate(_variations(content.detections.values())):
        stanzas[variation_search(detection, variation)] = alert(detection, variation, place, about)
    stanzas[BREAKER_SEARCH] = breaker_alert()
    stanzas[QUARANTINE_SEARCH] = quarantined_users()
    stanzas[MAINTENANCE_SEARCH] = maintenance()
    stanzas[START_SEARCH] = start()
    stanzas[SETUP_SEARCH] = set_up()
    return f"# {generated}\n" + "".join(_stanza(name, settings) for name, settings in stanzas.items())


def _variations(detections: Iterable[Detection]) -> Iterator[tuple[Detection, Variation]]:
    for detection in detections:
        for variation in detection.all_variations:
            yield detection, variation


def _stanza(name: str, settings: Stanza) -> str:
    lines = (f"{key} = {_continued(value)}" for key, value in settings.items())
    return f"\n[{name}]\n" + "\n".join(lines) + "\n"


def _continued(value: str) -> str:
    return " \\\n".join(value.strip().split("\n"))


def _quarterly(minutes: range, place: int) -> str:
    """Every 15 minutes, at the minute that falls to the place."""
    return f"{minutes[place % len(minutes)]}-59/15 * * * *"


# ---- The rows of a source --------------------------------------------------------------------------------------------


def rows_spl(shape: Shape, window: str = "") -> list[str]:
    """The rows of a source, a line for each command."""
    fields = " ".join(shape.row_fields)
    listed = "".join(f" values({name}) AS {name}" for name in map(list_name, shape.listed))
    lines = [
        f"search `cba_base_{shape.source}`{window}",
        f"| `cba_fields_{shape.source}`",
        f"| eval {compact(_lines(asked_spl(shape)))}",
        f"| eval {compact(_lines((*listed_spl(shape), *kept_spl(shape))))}",
        f'| fillnull value="" {fields}',
        f"| stats dc(event_id) AS events values(event_time) AS event_times{listed} BY bucket indexed {fields}",
    ]
    if shape.listed:
        lines.append(f"| eval {compact(_lines(joined_spl(shape)))}")
    if shape.geo:
        lines.append("| cbageo ip=src_ip database=`cba_ip_database`")
    return [*lines, "| sort 0 bucket"]


def _lines(assignments: Iterable[str]) -> str:
    return ",\n  ".join(assignments)


def asked_spl(shape: Shape) -> Iterator[str]:
    """Assignments: whether an event is judged, each condition that anybody asks, and whose candidate it is."""
    reasons = ", ".join(quoted(reason) for reason in sorted(PLACELESS))
    yield f"{JUDGED}=if(isnull({SKIP_REASON}) OR in({SKIP_REASON}, {reasons}), 1, 0)"
    flags = _flags(shape)
    for condition, flag in flags.items():
        if condition:
            yield f"{flag}=if({JUDGED}==1 AND {condition}, 1, 0)"
    of: dict[str, list[str]] = {}
    for detection_id, condition in shape.candidates.items():
        of.setdefault(flags[condition], []).append(detection_id)
    words = [f'if({flag}==1, {quoted(" ".join(ids) + " ")}, "")' for flag, ids in of.items()]
    yield f"{CANDIDATE_OF}={'nullif(trim(' + '.'.join(words) + '), ' + quoted('') + ')' if words else 'null()'}"


def kept_spl(shape: Shape) -> Iterator[str]:
    """Assignments: every field is kept of the events of which somebody asks for it. Of events that are never judged
    only the reason counts, and what they tell of the homes of workloads."""
    flags = _flags(shape)
    whole = home_facts(shape)
    for name, conditions in shape.kept.items():
        if name not in whole:
            asked = _asked(flags, conditions)
            yield f"{name}=case({asked}, {name})"


def listed_spl(shape: Shape) -> Iterator[str]:
    """Assignments: of each event one value of what its row lists; of an operation also whether it failed."""
    flags = _flags(shape)
    for name, conditions in shape.listed.items():
        asked = _asked(flags, conditions)
        failed = '.if(outcome=="failure", " (failed)", "")' if name == "operation" else ""
        yield f"{list_name(name)}=case({asked}, substr({name}, 1, {LISTED_CHARACTERS}){failed})"


def joined_spl(shape: Shape) -> Iterator[str]:
    """Assignments: the first of the values in order, as one text."""
    for name in map(list_name, shape.listed):
        first = f"if(mvcount({name})>{LISTED_VALUES}, mvindex({name}, 0, {LISTED_VALUES - 1}), {name})"
        yield f"{name}=mvjoin({first}, {quoted(LISTED_SEPARATOR)})"


def _asked(flags: Mapping[str, str], conditions: Sequence[str]) -> str:
    """SPL that holds of the events of which somebody asks for a field; no condition stands for all that are judged."""
    return " OR ".join(f"{flags[condition]}==1" for condition in conditions or ("",))


def _flags(shape: Shape) -> dict[str, str]:
    """condition -> the helper field that says whether it holds: the answer to a question (q) that somebody asks."""
    asked = (condition for kept in (shape.kept, shape.listed) for each in kept.values() for condition in each)
    conditions = dict.fromkeys((*shape.candidates.values(), *asked))
    return {"": JUDGED, **{condition: f"cba_q{at}" for at, condition in enumerate(conditions, 1)}}


def _of_source(source: str, shape: Shape, content: Content, place: int) -> Iterator[tuple[str, Stanza]]:
    named = [detection.name for detection in content.detections.values() if source in detection.sources]
    yield source_search(source, "Judge"), judge(shape, named, place)
    yield source_search(source, "Backfill"), backfill(shape)
    yield source_search(source, "Rows"), rows(shape)


def judge(shape: Shape, named: Sequence[str], place: int) -> Stanza:
    """The scheduled search: what was indexed since the mark, judged by every detection of the source."""
    source = shape.source
    # Both subsearches get the same window. In the base search it is search terms, for cbajudge an option.
    window = f" [| cbawindow source={source} | fields search]"
    search = [*rows_spl(shape, window), f"| cbajudge source={source} [| cbawindow source={source} | return $options]"]
    return {
        "description": f"Reads each event of {source} once, learns what is normal, and judges for: {'; '.join(named)}.",
        "search": "\n".join(search),
        "dispatch.earliest_time": JUDGE_EARLIEST,
        "dispatch.latest_time": "now",
        "dispatch.allow_partial_results": "false",
        "cron_schedule": _quarterly(JUDGE_MINUTES, place),
        "enableSched": "1",
        # What a run leaves out, because it was skipped or failed, is in the window of the next one: the mark knows.
        "realtime_schedule": "1",
        "max_concurrent": "1",
        "schedule_priority": "higher",
        "is_visible": "true",
        "disabled": "1",
    }


def backfill(shape: Shape) -> Stanza:
    source = shape.source
    return _by_hand(
        f"Learns what is already indexed of {source}, for all detections, without judging it. Run it once by hand "
        f'over the last 44 days before you enable "{source_search(source, "Judge")}"; | cbahealth shows how far it '
        "has come.",
        [*rows_spl(shape), f"| cbajudge source={source} learn=only"],
        BACKFILL_EARLIEST,
    )


def rows(shape: Shape) -> Stanza:
    """For searches by hand and for backtests."""
    source = shape.source
    return _by_hand(
        f"The rows of {source} that are judged, one for each kind of event in a quarter of an hour. "
        f'Writes nothing. | savedsearch "{source_search(source, "Rows")}" | cbabacktest … compares settings: '
        "the guide's page Tuning.",
        [*rows_spl(shape), f"| eval source_kind={quoted(source)}"],
        ROWS_EARLIEST,
    )


def _by_hand(description: str, search: Sequence[str], earliest: str) -> Stanza:
    """A search that people run; it has no schedule."""
    return {
        "description": description,
        "search": "\n".join(search),
        "dispatch.earliest_time": earliest,
        "dispatch.latest_time": "now",
        "dispatch.allow_partial_results": "false",
        "is_visible": "true",
    }


# ---- Alerts ----------------------------------------------------------------------------------------------------------


def alert(detection: Detection, variation: Variation, place: int, about: story.Story) -> Stanza:
    """The search of a variation: its findings as alerts, each exactly once, which cbaalerts sees to."""
    document = detection.document
    entity = detection.entity
    message = f"{variation.name}: ${entity}$. $explanation$"
    risk = RISK_SCORES[variation.severity]
    risk_object = {"risk_object_field": entity, "risk_object_type": RISK_OBJECT_TYPES.get(entity, "other")}
    return {
        "description": description(detection, variation),
        "search": f"| cbaalerts detection={detection.id} variation={variation.id}",
        **_alert_schedule(place, variation.severity),
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": variation_search(detection, variation),
        "action.correlationsearch.annotations": json.dumps(story.annotated(about, detection)),
        **story.managed(about, detection),
        **_notable(
            f"{variation.name}: ${entity}$",
            str(document.get("security_domain", "access")),
            variation.severity,
            detection.deduplicate_by,
            [(each.name, each.search) for each in detection.drilldowns],
            document["investigative_actions"],
        ),
        "action.notable.param._entities": json.dumps([{**risk_object, "risk_score": risk}]),
        "action.risk": "0",
        # Older releases of Enterprise Security read the one message, newer ones that of each object.
        "action.risk.param._risk_message": message,
        "action.risk.param._risk_score": "0",
        "action.risk.param._risk": json.dumps([{**risk_object, "risk_score": risk, "risk_message": message}]),
        "disabled": "1",
    }


def description(detection: Detection, variation: Variation) -> str:
    """What a variation is, when it is raised, and what its detection is about."""
    names = {signal.id: signal.name for signal in detection.signals}
    own = in_words(variation.when, names) if variation.when is not None else "no other variation fits"
    when = re.sub(r"[`*]", "", f"{own}. In all variations {in_words(detection.when, names)}")
    case = "Base" if variation.id == BASE else f"Variation {variation.id[1:]}"
    return f"{variation.name}. {case}, {variation.severity}: raised when {when}. {detection.document['description']}"


def breaker_alert() -> Stanza:
    """The search that raises what circuit breakers have to say. It blames nobody, so it is no risk."""
    found = '| inputlookup cba_findings where detection="$detection$" | sort 0 - raised_time'
    next_steps = (
        "Look at what was found: a change of the world (a new VPN exit, a wrong IP database), or an attacker who "
        "hides one thing behind many.",
        "Mend the cause: a list, a setting, a verdict.",
        "Then run | cbaacknowledge detection=$detection$, which makes the detection raise again. The breaker of a "
        "single entity closes by itself at midnight UTC.",
    )
    return {
        "description": "A detection found so much, or so much on one entity, that it raises no more of that severity.",
        "search": f"| cbaalerts variation={VARIATION}",
        **_alert_schedule(0, SEVERITY),
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": BREAKER_SEARCH,
        **_notable(
            "$name$: $entity$",
            "threat",
            SEVERITY,
            ("detection", "entity"),
            [("What $detection$ has found", found)],
            next_steps,
        ),
        "disabled": "1",
    }


def _notable(
    title: str,
    domain: str,
    severity: str,
    fields: Iterable[str],
    drilldowns: Iterable[tuple[str, str]],
    steps: Iterable[str],
) -> Stanza:
    """What a finding becomes in Enterprise Security; `drilldowns` are (name, search), `steps` what to do next."""
    offsets = {"earliest_offset": "$first_time$", "latest_offset": "$drilldown_end$"}
    searches = [{"name": name, "search": search, **offsets} for name, search in drilldowns]
    numbered = "\n".join(f"{at}. {text}" for at, text in enumerate(steps, 1))
    return {
        "action.notable": "0",
        "action.notable.param.rule_title": title,
        "action.notable.param.rule_description": "$explanation$",
        "action.notable.param.security_domain": domain,
        "action.notable.param.severity": severity,
        "action.notable.param.nes_fields": ",".join(fields),
        "action.notable.param.drilldown_searches": json.dumps(searches),
        "action.notable.param.next_steps": json.dumps({"version": 1, "data": numbered}),
    }


def _alert_schedule(place: int, severity: str) -> Stanza:
    """When the search of an alert runs, and that each run with a row is one alert of all its rows."""
    return {
        "dispatch.earliest_time": "-24h@h",
        "dispatch.latest_time": "now",
        "cron_schedule": _quarterly(RAISE_MINUTES, place),
        "enableSched": "1",
        "realtime_schedule": "1",
        "schedule_window": "5",
        "is_visible": "false",
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        # Where alerts show, and what else they do, is chosen on the page Configuration, for all of them at once. As
        # shipped they need nothing but Splunk: Enterprise Security's actions would fail where it is not installed.
        "alert.track": "1",
        "alert.severity": str(severity_rank(severity) + 1),
        "alert.digest_mode": "1",
        "action.email.subject": "$name$",
        "action.email.message.alert": "$result.name$: $result.entity$. $result.explanation$",
        "action.email.include.results_link": "1",
    }


# ---- Upkeep ----------------------------------------------------------------------------------------------------------


def quarantined_users() -> Stanza:
    """Keeps the users to whom AWS has attached a quarantine policy, which it does when it finds their key in public."""
    return {
        "description": "Remembers the AWS users whose access key AWS has quarantined as compromised.",
        "search": "`cba_quarantined_users`\n| outputlookup append=true key_field=_key cba_quarantined",
        "dispatch.earliest_time": "-24h@h",
        "dispatch.latest_time": "now",
        "cron_schedule": "*/15 * * * *",
        "enableSched": "1",
        "realtime_schedule": "0",
        "is_visible": "true",
        "disabled": "1",
    }


def maintenance() -> Stanza:
    """Forgets what counts no longer."""
    return {
        "description": "Deletes histories and signals that are older than anything still looked at, every night.",
        "search": "| cbaforget",
        "dispatch.earliest_time": "-24h@h",
        "dispatch.latest_time": "now",
        "cron_schedule": "41 3 * * *",
        "enableSched": "1",
        "realtime_schedule": "0",
        "schedule_window": "60",
        "is_visible": "true",
        "disabled": "1",
    }


# ---- The first hour --------------------------------------------------------------------------------------------------


def start() -> Stanza:
    """What a person runs once."""
    return _by_hand(
        "Turns on what is recommended: each source that has data learns the last 44 days, one after the other, and is "
        f'then judged; "{BREAKER_SEARCH}" and "{MAINTENANCE_SEARCH}" too. Alerts stay as they are. Run it as often as '
        "you like; the page Welcome shows how far it has come.",
        [*freshness.query().strip().splitlines(), "| cbasetup start=true"],
        freshness.SINCE,
    )


def set_up() -> Stanza:
    """Does it. A run takes as long as the back-fills take, and one that is cut off is begun again by the next."""
    return {
        "description": f'Learns and turns on one source after the other, then turns itself off. "{START_SEARCH}" turns '
        "it on.",
        "search": "\n".join([*freshness.query().strip().splitlines(), "| cbasetup"]),
        "dispatch.earliest_time": freshness.SINCE,
        "dispatch.latest_time": "now",
        "cron_schedule": "*/5 * * * *",
        "enableSched": "1",
        "realtime_schedule": "1",
        "max_concurrent": "1",
        "is_visible": "true",
        "disabled": "1",
    }
