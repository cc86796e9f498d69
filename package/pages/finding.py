"""One finding, from the top: what happened, the events, what to do next, and what it is compared with."""

from __future__ import annotations

from typing import Mapping

from risk import RISK

from cba.detection.model import Detection
from pages import events, pivots
from pages.board import OWN, SEVERITY_COLOURS, VERDICT, WHEN, Board, coloured, link, search_link
from pages.names import country_name, shown
from pages.spl import filled, inner, token

NOTHING = (
    "There is no finding with this id. Open one from the page Findings; * above stands for the most severe one there "
    "is."
)

COUNTRY = """\
| eval code=if(len(country)>0 AND country!="-", country, null())
| lookup cba_countries country AS code OUTPUT name AS country_name
| eval country_name=coalesce(country_name, code)"""

WHO = """case(source_kind="endpoint", process." on ".host.if(len(identity)>0, " (".identity.")", ""),
        identity=entity OR len(identity)=0, entity, true(), identity)"""
FROM = """case(len(src_ip)=0 OR isnull(src_ip), "",
        ip_scope="private" OR country="private", " from inside, ".src_ip,
        true(), " from ".coalesce(country_name, "an unknown country")
            .if(len(as_org)>0, ", network ".as_org." (AS".asn.")", "").", address ".src_ip)"""
DID = 'replace(operations, " \\\\| ", ", ")'
ON = """case(source_kind="endpoint", " with ".resource, len(function)>0, " on the function ".function,
        len(pod)>0, " in the pod ".pod, len(secret_names)>0, " on ".secret_names, len(flow)>0, " on the flow ".flow,
        len(script_title)>0, " on the script ".script_title, true(), "")"""

# Label -> the text beside it; an empty one is left out. What is read first, in one sentence each.
SENTENCES = {
    "What happened": f"""strftime(begun, "{WHEN}")
        .if(ended>begun, " until ".strftime(ended, "{WHEN}"), "").": ".{WHO}
        ." did ".coalesce({DID}, "something that the log does not name").{ON}
        .if(len(project)>0, " in ".project, "").{FROM}
        .case(steps>1 AND mvcount(who)>1,
                ", in a chain of ".steps." steps together with ".mvjoin(mvindex(who, 1, -1), " and "),
            steps>1, ", in a chain of ".steps." steps", count>1, ", ".count." events", true(), ", one event")
        ."." """.strip(),
    "Why": """name.". It is ".severity.", because ".because."."
        .if(len(watch_reason)>0, " On the watch list: ".watch_reason.".", "")
        .if(len(compromised_reason)>0, " The key or user is known to be compromised: ".compromised_reason.".", "")""",
    "What is new": "explanation",
}

STATE = {
    "Severity": "severity",
    "Score": 'anomaly_score." of 100"',
    "Status": "status",
    "Verdict": 'if(verdict="", "none yet", verdict)',
    "Assigned to": 'if(owner="", "nobody", owner)',
    "Said": f'if({events.GIVEN}, replace(triaged_by, "@.*", "").", ".strftime(triaged_time, "{WHEN}"), "nothing yet")',
    "Why": "comment",
}

FACTS = {
    "Entity": "entity",
    "Identity": "if(identity=entity, null(), identity)",
    "Kind": "identity_type",
    "Project": "if(project=entity, null(), project)",
    "Source": "source_kind",
    "Did": DID,
    "With": "user_agents",
    "Key": "access_key",
    "Watch list": "watch_reason",
    "Compromised": "compromised_reason",
    "Country": "country_name",
    "Network": 'if(len(as_org)>0, as_org." (AS".asn.")", null())',
    "Address": "src_ip",
    "Cloud": 'if(len(cloud_provider)>0 AND cloud_provider!="-", cloud_provider." ".cloud_region, null())',
    "Region": "region",
    "Home region": 'home_region.if(len(home_source)>0, " (".home_source.")", "")',
    "Outside": "outside",
    "Workload": "workload",
    "Resource": "resource",
    "Secrets": "secret_names",
    "Process": "process",
    "Host": "host",
    "Function": "function",
    "Role": "role",
    "Runtime": 'runtime.if(len(runtime_exact)>0, " (".runtime_exact.")", "")',
    "Pod": "pod",
    "Command": "container_command",
    "Script": "script",
    "Flow": "flow",
    "ATT&CK": "techniques",
    "Detection": 'detection.", variation ".variation',
    "Finding": "finding_id",
}

FILLED = ("entity", "identity", "project", "country", "workload", "process", "host", "resource", "finding_id")
"""Fields that drilldowns of detections name as $field$, in quotes."""

NAMED = {"country": 'coalesce(country_name, "*")'}
"""Those that people read otherwise than searches."""

# What can be said of a finding: the verdict, what it means. The row opens the form.
DECISIONS = {
    "It is normal": ("benign", "What was new in it counts as normal; the finding is closed."),
    "It is an attack": ("malicious", "What was new in it never counts as normal; it is in progress."),
    "Assign it, or change its status": ("none", "No verdict yet; whose it is, and how far you have come."),
    "Take the verdict back": ("clear", "The history speaks again."),
}

BEFORE, AFTER = 30, 4
"""Days drawn before the finding's, and from it on: the training period, and what cbahistory says of what followed."""
DRAWN = 20


def page(detections: Mapping[str, Detection]) -> Board:
    board = Board(
        "finding", "Finding", "One finding: what happened, the events, what to do next, and what it is compared with."
    )
    board.text("finding", "Finding (* = most severe)", "*")
    found = board.search(
        "finding",
        f"""
{events.FINDING}
| `cba_triage`
| lookup cba_detections detection, variation OUTPUT deduplication because techniques
{COUNTRY}
{events.STEPS}
| eval steps=coalesce(mvcount(step_time), 0),
    begun=min(first_time, coalesce(tonumber(mvindex(step_time, 0)), first_time)),
    ended=max(last_time, coalesce(tonumber(mvindex(step_time, -1)), last_time))
""",
        earliest="0",
        latest="",
    )

    board.chain("summary", found, _pairs(SENTENCES) + _or_nothing("What", "Value", NOTHING))
    summary = board.table(
        "summary_panel",
        "summary",
        "In short",
        {"What": 135, "Value": 900},
        texts=("Value",),
        header=False,
    )
    board.chain("state", found, _pairs(STATE) + _or_nothing("What", "Value", "no such finding"))
    state = board.table(
        "state_panel",
        "state",
        "State",
        {"What": 90, "Value": 180},
        texts=("Value",),
        colours=[coloured("Value", SEVERITY_COLOURS)],
        header=False,
    )
    board.row(345, (summary, 9), (state, 3))

    board.search("events", events.search(detections) + events.TABLE, earliest="0", latest="")
    shown = board.table(
        "events_panel",
        "events",
        "The events: all of the finding and of its chain, and what the same people did meanwhile",
        {
            "When": 150,
            "Part": 95,
            "Who": 190,
            "Did": 160,
            "About": 230,
            "From": 200,
            "Result": 80,
        },
        texts=("About", "Who"),
        colours=[coloured("Part", events.PART_COLOURS)],
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
        rows=20,
        description="The latest first. A row opens the event itself in the search. Nothing here? Your roles may not "
        "search the index, or the events are older than it keeps.",
    )
    board.row(300, (shown, 12))

    board.chain("decide", found, _decisions())
    decide = board.table(
        "decide_panel",
        "decide",
        "Decide",
        {"Verdict": 170, "Means": 300},
        description="A row opens the form; it says what will be taught.",
        click=f"{VERDICT}?findings=$row._finding_id.value|u$&verdict=$row._verdict.value|u$",
    )
    board.chain("next", found, NEXT)
    steps = board.table(
        "next_panel",
        "next",
        "What to look at, as the detection says",
        {"Step": 500},
        texts=("Step",),
        header=False,
    )
    board.row(310, (decide, 5), (steps, 7))

    board.chain("pivots", found, pivots.search())
    pivot = board.table(
        "pivots_panel",
        "pivots",
        "What else did this touch?",
        {"What": 100, "Value": 330, "Other findings": 90},
        texts=("Value",),
        description="A row searches for everybody who used the same, a day before and after.",
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
    )
    board.chain("steps", found, _steps())
    searches = board.table(
        "steps_panel",
        "steps",
        "Searches",
        {"Step": 260, "Means": 160},
        description="A row opens it as a search, which you may change before it runs.",
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
        rows=20,
    )
    board.row(300, (pivot, 7), (searches, 5))

    board.search("peers", f"| cbahistory peers={token('finding')}\n{PEERS}", earliest="0", latest="now")
    peers = board.table(
        "peers_panel",
        "peers",
        "Among others: how common is it?",
        {
            "Dimension": 125,
            "Value": 200,
            "Among": 260,
            "Seen before": 110,
            "Only since": 90,
            "With any value": 100,
            "Who": 330,
        },
        texts=("Value", "Seen before", "Who"),
        click=search_link("$row._search.value|u$", "0", "now"),
        description="How many were seen with it before the finding's day, ever (90 days are kept). A row counts anew, "
        "however many there are. Nothing here? The finding is about no value that others have.",
    )
    board.row(220, (peers, 12))

    board.chain("evidence", found, EVIDENCE)
    evidence = board.table(
        "evidence_panel",
        "evidence",
        "Evidence: what this is compared with",
        {
            "Scope": 115,
            "Of": 230,
            "Dimension": 115,
            "Value": 150,
            "New": 95,
            "Seen on days": 80,
            "Established values": 100,
            "Active on days": 80,
            "Known": 240,
        },
        texts=("Of", "Value", "Known"),
        colours=[
            coloured("New", {"new": SEVERITY_COLOURS["medium"], "not trained": SEVERITY_COLOURS["informational"]})
        ],
        click=link("entity", entity="$row.Of.value|u$"),
        description="From the narrowest scope to the widest, of the 30 days before the event. A row opens the entity.",
    )
    board.row(300, (evidence, 12))

    board.chain("others", found, OTHERS)
    others = board.table(
        "others_panel",
        "others",
        "The case: all findings of this entity",
        {
            "When": 150,
            "Case": 100,
            "Severity": 110,
            "Risk by then": 75,
            "Finding": 400,
            "Beside this one": 170,
            "Count": 70,
            "Status": 90,
        },
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        description="The latest first. Findings within a day of one another are one case; its risk adds up. A row "
        "opens the finding.",
    )
    board.row(280, (others, 12))

    board.search("days", f"| cbahistory finding={token('finding')}\n{_days()}", earliest="0", latest="now")
    days = board.days(
        "days_panel",
        "days",
        "Timeline of the entity: which value on which day (UTC days)",
        ("Value", "Dimension"),
        BEFORE + AFTER,
        "Numbers are days of the month. Blue: established when the finding was raised, yellow: provisional, orange: "
        "new with this finding. Nothing here? Nothing is known of the entity.",
    )
    board.row(260, (days, 12))

    board.chain("facts", found, _pairs(FACTS))
    facts = board.table(
        "facts_panel",
        "facts",
        "Facts",
        {"What": 110, "Value": 400},
        texts=("Value",),
        rows=40,
        header=False,
        description="Nothing here? There is no finding with this id: open one from the page Findings.",
    )
    board.chain("counted", found, _counted())
    counted = board.table(
        "counted_panel",
        "counted",
        "Counted, not raised again",
        {"What": 130, "Value": 330},
        texts=("Value",),
        header=False,
        description="The same behaviour, while the deduplication period runs.",
    )
    board.chain("said", found, SAID)
    said = board.table(
        "said_panel",
        "said",
        "What was said of it",
        {"When": 130, "By": 90, "Verdict": 90, "Status": 85, "Assigned to": 90, "Why": 150},
        description="The latest first. A row under Decide opens the form.",
    )
    board.row(520, (facts, 6), ({counted: 260, said: 260}, 6))
    return board


def _or_nothing(label: str, value: str, sentence: str) -> str:
    """SPL that adds a row with a sentence where there is none."""
    return f"""| appendpipe
    [| stats count
    | where count=0
    | eval {label}="", {value}="{sentence}"
    | fields - count]
| table {label} {value}
"""


def _pairs(facts: dict[str, str]) -> str:
    """SPL that turns the one row into a row per fact."""
    made = ",\n    ".join(f'if(len({value})>0, "{label}||".({value}), null())' for label, value in facts.items())
    return f"""
| eval fact=mvappend({made})
| mvexpand fact
| eval What=mvindex(split(fact, "||"), 0), Value=mvindex(split(fact, "||"), 1)
| table What Value
"""


def _steps() -> str:
    """SPL that makes a row per thing to do, with the search that does it: the detection's drilldowns.

    Each is a template with $field$ or @field@ in it. It is taken apart before anything is put in, because a value may
    hold whatever it likes.
    """
    values = {name: f'coalesce({name}, "*")' for name in FILLED}
    put_in = "\n".join(
        f"| eval Step={filled('Step', name, NAMED.get(name, value))}, _search={filled('_search', name, inner(value))}"
        for name, value in values.items()
    )
    return rf"""
| lookup cba_drilldowns detection OUTPUT title means search AS drilldown
| eval step=mvzip(title, mvzip(means, drilldown, "||"), "||")
| eval step=mvappend(step,
    "What is known of @entity@||its values, since when, established or not||| cbahistory entity=\"@entity@\"")
| mvexpand step
| eval Step=mvindex(split(step, "||"), 0), Means=mvindex(split(step, "||"), 1),
    _search=mvjoin(mvindex(split(step, "||"), 2, -1), "||")
{put_in}
| eval _earliest=if(match(_search, "cba_events_"), tostring(first_time), "0"),
    _latest=if(match(_search, "cba_events_"), tostring(last_time+1), "")
| table Step Means _search _earliest _latest
"""


def _decisions() -> str:
    """SPL that makes a row for each thing that can be said; taking back only what has been said."""
    rows = ", ".join(f'"{said}||{verdict}||{means}"' for said, (verdict, means) in DECISIONS.items())
    return f"""
| eval row=mvappend({rows}), given=verdict
| mvexpand row
| eval Verdict=mvindex(split(row, "||"), 0), _verdict=mvindex(split(row, "||"), 1),
    Means=mvindex(split(row, "||"), 2), _finding_id=finding_id
| where _verdict!="clear" OR given!=""
| table Verdict Means _finding_id _verdict
"""


NEXT = """
| lookup cba_steps detection OUTPUT number step
| eval row=mvzip(number, step, ". ")
| mvexpand row
| eval Step=row
| table Step
"""

PEERS = f"""
{country_name('dimension="country"')}
| eval Dimension=dimension, Value={shown("dimension")},
    Among=case(others=0, "nobody else in ".among, others=1, "1 other in ".among, true(), others." others in ".among)
        .if(complete=0, ", drawn by lot", ""),
    "Seen before"=before." of ".others, "Only since"=since, "With any value"=with_any, Who=coalesce(who, ""),
    _search="| cbahistory peers=\\"".{inner("finding_id")}."\\" everybody=true"
| table Dimension Value Among "Seen before" "Only since" "With any value" Who _search
"""

EVIDENCE = r"""
| eval scope=split("identity,host,project,organization,function,resource", ",")
| mvexpand scope
| eval dimensions=json_extract(evidence, "scopes.".scope), dimension=json_array_to_mv(json_keys(dimensions))
| where isnotnull(dimension)
| mvexpand dimension
| eval seen=json_extract(dimensions, dimension)
| eval Scope=scope, Of=json_extract(seen, "entity"), Dimension=dimension,
    Value=json_extract(evidence, "values.".dimension),
    New=case(json_extract(seen, "trained")="false", "not trained", json_extract(seen, "new")="true", "new",
        true(), "known"),
    "Seen on days"=json_extract(seen, "days"), "Established values"=json_extract(seen, "seen"),
    "Active on days"=json_extract(seen, "active_days"),
    known=json_array_to_mv(json_extract(seen, "known")), known=mvindex(known, 0, min(5, mvcount(known))-1),
    more=json_extract(seen, "seen")-5, code=if(dimension="country", Value, null()),
    codes=if(dimension="country", known, null())
| lookup cba_countries country AS code OUTPUT name
| lookup cba_countries country AS codes OUTPUT name AS names
| eval Value=coalesce(name, Value), Known=mvjoin(coalesce(names, known), ", ")
        .if(more>0, " and ".more." more", "")
| table Scope Of Dimension Value New "Seen on days" "Established values" "Active on days" Known
"""

# A row per quarter of an hour and variation, from what is kept as {"bucket|…": [events, first, last]}.
POINTS = r"""
| rex field=atoms max_match=0 "\"(?<point>\d+\|[^\"]*\":\[\d+,\d+,\d+)"
| mvexpand point
| rex field=point "^(?<bucket>\d+)\D.*\[(?<events>\d+),(?<begins>\d+),(?<ends>\d+)"
| eval bucket=tonumber(bucket), events=tonumber(events), begins=tonumber(begins), ends=tonumber(ends)
"""


def _days() -> str:
    """SPL that gives each day two columns: its number where a value was seen, and what the value was then."""
    backs = range(BEFORE + AFTER, 0, -1)
    dates = ",\n    ".join(f'd{back}=strftime(relative_time(end, "-{back}d"), "%Y-%m-%d")' for back in backs)
    states = ",\n    ".join(
        f"s{back}=if(match({'days' if back > AFTER else 'days_since'}, d{back}), "
        f'{"state" if back > AFTER else "later"}, "")'
        for back in backs
    )
    numbers = ",\n    ".join(f'd{back}=if(s{back}!="", substr(d{back}, 9), "")' for back in backs)
    return f"""
| head {DRAWN}
| rex field=profile "^(.*_)?(identity|host|project|organization|resource|function)_(?<Dimension>.+)$"
| eval end=relative_time(strptime(as_of, "%Y-%m-%d"), "+{AFTER}d"),
    state=if(established=1, "established", "provisional"), later=if(of_finding=1 AND established=0, "{OWN}", state),
    code=if(Dimension="country", value, null()),
    {dates}
| lookup cba_countries country AS code OUTPUT name
| eval Value=coalesce(name, value).if(of_finding=1, " ({OWN})", "")
| eval {states}
| eval {numbers}
| table Value Dimension {" ".join(f"d{back}" for back in backs)} {" ".join(f"s{back}" for back in backs)}
"""


SIBLINGS = f"""
| lookup cba_findings detection, key OUTPUT finding_id AS sibling
| mvexpand sibling
| lookup cba_findings finding_id AS sibling OUTPUT opened_day AS day first_time AS time severity AS word
| where day=opened_day
| eval said=word.", ".strftime(time, "{WHEN}"), less=if(time<first_time, said, null()),
    more=if(time>first_time, said, null())
| eventstats min(time) AS opened values(less) AS less values(more) AS more BY finding_id
| where sibling=finding_id
"""
"""SPL that adds when the finding's deduplication window opened, and the other findings raised in it."""

COUNTED = {
    "Raised by": 'strftime(first_time, "%Y-%m-%d %H:%M:%S %Z").", the first event"',
    "Counted": 'if(suppressed_count>0, suppressed_count." more", "nothing more")',
    "First of them": """case(suppressed_count=0, null(), at_first=2, strftime(till, "%Y-%m-%d %H:%M:%S %Z"),
        at_first>2, "within 15 minutes of the first event", true(), strftime(next, "%Y-%m-%d %H:%M:%S %Z"))""",
    "Last of them": 'if(suppressed_count>0, strftime(last_suppressed_time, "%Y-%m-%d %H:%M:%S %Z"), null())',
    "Same behaviour": 'mvjoin(mvmap(behaviour, if(behaviour=country, country_name, behaviour)), ", ")',
    "Window": f"""strftime(opened, "{WHEN}")." to ".strftime(opened+86400*deduplication, "{WHEN}").", "
        .deduplication.if(deduplication=1, " day", " days")""",
    "Before it": 'mvjoin(less, "; ").": less severe, so this one was raised as well"',
    "After it": 'mvjoin(more, "; ").": more severe, so it was raised as well"',
}


def _counted() -> str:
    return f"""
{SIBLINGS.strip()}
{POINTS.strip()}
| eventstats sum(eval(if(begins=first_time, events, 0))) AS at_first
    max(eval(if(begins=first_time, ends, null()))) AS till min(eval(if(begins>first_time, begins, null()))) AS next
| head 1
| eval behaviour=json_array_to_mv(key)
{_pairs(COUNTED).strip()}
"""


SAID = f"""
| eval said=mvappend(json_array_to_mv(earlier_verdicts),
    if({events.GIVEN}, json_object("verdict", verdict, "by", triaged_by, "time", triaged_time, "comment", comment,
        "status", status, "owner", owner), json_object("verdict", "none yet", "comment", "")))
| mvexpand said
| eval time=json_extract(said, "time"), Verdict=json_extract(said, "verdict"), By=json_extract(said, "by"),
    Why=json_extract(said, "comment"), Status=json_extract(said, "status"), "Assigned to"=json_extract(said, "owner")
| eval When=if(isnull(time), "", strftime(time, "{WHEN}")), Verdict=if(Verdict="", "none", Verdict)
| sort 0 - time
| table When By Verdict Status "Assigned to" Why
"""

"""What a finding adds to the risk of its entity, as its alert does in Enterprise Security."""
CASE_GAP = 86_400
"""Findings of one entity that lie no further apart are one case."""

OTHERS = f"""
| eval own_id=finding_id, own_detection=detection, own_key=key, own_day=opened_day, own_time=first_time
| fields own_* entity
| lookup cba_findings entity OUTPUT finding_id
| mvexpand finding_id
| lookup cba_findings finding_id OUTPUT detection key opened_day first_time severity name count absorbed
| `cba_triage`
| eval risk={RISK}, own=if(finding_id=own_id, 1, 0)
| sort 0 first_time
| streamstats current=f max(first_time) AS previous
| eval begins=if(isnull(previous) OR first_time-previous>{CASE_GAP}, 1, 0)
| streamstats sum(begins) AS case
| streamstats sum(risk) AS risk_then BY case
| eventstats max(own) AS has_own BY case
| sort 0 - first_time
| eval When=strftime(first_time, "{WHEN}"), Severity=severity, Finding=name, Count=count, Status=status,
    Case=if(has_own=1, "this case", "case ".case), "Risk by then"=risk_then,
    "Beside this one"=case(finding_id=own_id, "this one",
        detection!=own_detection, "another detection", key!=own_key, "the same detection",
        opened_day!=own_day, "the same behaviour, another window",
        first_time>own_time, "the same window, more severe", true(), "the same window, less severe"),
    _finding_id=finding_id
| table When Case Severity "Risk by then" Finding "Beside this one" Count Status _finding_id
"""
