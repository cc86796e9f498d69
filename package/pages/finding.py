"""One finding: what happened and why it was raised, the evidence scope by scope, what to do next."""

from __future__ import annotations

from pages.board import EPOCH, OWN, SEVERITY_COLOURS, Board, coloured, link, search_link
from pages.spl import filled, inner, token

WORST = "| sort 0 - severity_id, - last_time | head 1"
"""What * stands for; cbahistory finding=* means the same one."""

# Label -> the text shown beside it; an empty one is left out.
FACTS = {
    "What happened": "name",
    "Why": "explanation",
    "Entity": "entity",
    "Identity": "if(identity=entity, null(), identity)",
    "Project": "if(project=entity, null(), project)",
    "Source": "source_kind",
    "Did": "operations",
    "With": "user_agents",
    "Key": "access_key",
    "Listed as": 'mvjoin(mvappend(nullif(watch_reason, ""), nullif(compromised_reason, "")), "; ")',
    "Country": 'if(country="-", null(), country)',
    "Address": 'src_ip.if(as_org!="", " (AS".asn." ".as_org.")", "")',
    "Resource": "resource",
    "Secrets": "secret_names",
    "Process": 'process.if(host!="", " on ".host, "")',
    "Function": "function",
    "Runtime": "runtime",
    "Script": "script",
    "Flow": "flow",
    "ATT&CK": "attack",
    "Variation": 'detection.", variation ".variation',
    "Owner": "owner",
    "Comment": "comment",
    "Finding": "finding_id",
}

FILLED = ("entity", "identity", "project", "country", "workload", "process", "host", "resource", "finding_id")
"""Fields that drilldowns of detections name as $field$, in quotes."""

GIVEN = "triaged_time>0"
"""Whether an analyst has said something of a finding."""

# What an analyst says of a finding: when it is offered, the options of cbaverdict, what it means. The comment is to be
# written in the search bar. Wider scopes are offered as far as the detection compares in them (judged_scopes).
VERDICTS = {
    "It is normal": ("true()", 'verdict=benign comment="why"', "for this entity from now on; closes the finding"),
    "It is normal for the whole project": (
        'match(judged_scopes, "project") AND entity!=project',
        'verdict=benign scope=project comment="why"',
        "and for everybody in it",
    ),
    "It is normal for everybody": (
        'match(judged_scopes, "organization")',
        'verdict=benign scope=organization comment="why"',
        "in the whole organization, as for a new office",
    ),
    "It is an attack": (
        "true()",
        'verdict=malicious comment="why"',
        "never counts as normal; the finding is in progress",
    ),
    "Take the verdict back": (f'{GIVEN} AND verdict!=""', "verdict=clear", "the history speaks again; it is new"),
}

BEFORE, AFTER = 30, 4
"""Days drawn before the finding's, and from it on: the training period, and what cbahistory says of what followed."""
DRAWN = 20


def page() -> Board:
    board = Board(
        "finding", "Finding", "One finding: why it was raised, what it is compared with, and what to do next."
    )
    board.text("finding", "Finding (* = most severe)", "*")
    found = board.search(
        "finding",
        f"""
| inputlookup cba_findings where finding_id={token("finding")}
{WORST}
| `cba_triage`
| lookup cba_detections detection, variation OUTPUT deduplication judged_scopes
""",
        earliest="0",
        latest="",
    )

    board.chain("severity", found, _one("severity"))
    board.chain("status", found, '| eval status=status.if(verdict!="", ": ".verdict, "")\n' + _one("status"))
    board.chain(
        "triage",
        found,
        f'| eval Who=if({GIVEN}, replace(triaged_by, "@.*", "").", ".strftime(triaged_time, "{EPOCH}"), "nobody yet")\n'
        + _one("Who"),
    )
    board.chain("score", found, _one("anomaly_score"))
    board.chain("events", found, _one("count"))
    board.row(
        110,
        (board.number("severity_panel", "severity", "Severity", size=28), 2),
        (board.number("status_panel", "status", "Status and verdict", size=20), 3),
        (board.table("triage_panel", "triage", "Said by, when", {"Who": 200}, texts=("Who",), header=False), 3),
        (board.number("score_panel", "score", "Score, of 100", size=28), 2),
        (board.number("count_panel", "events", "Events", size=28), 2),
    )

    board.chain("facts", found, _pairs(FACTS))
    facts = board.table(
        "facts_panel",
        "facts",
        "What happened, and why it was raised",
        {"What": 120, "Value": 500},
        texts=("Value",),
        rows=30,
        header=False,
        description="Nothing here? There is no finding with this id: open one from the page Findings.",
    )
    board.chain("steps", found, _steps())
    steps = board.table(
        "steps_panel",
        "steps",
        "What next",
        {"Step": 260, "Means": 220},
        description="A row opens it as a search, which you may change before it runs.",
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
        rows=20,
    )
    board.row(740, (facts, 7), (steps, 5))

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
    board.row(360, (evidence, 12))

    board.search("days", f"| cbahistory finding={token('finding')}\n{_days()}", earliest="0", latest="now")
    days = board.days(
        "days_panel",
        "days",
        "Timeline of the entity: which value on which day (UTC)",
        ("Value", "Dimension"),
        BEFORE + AFTER,
        "Numbers are days of the month. Blue: established when the finding was raised, yellow: provisional, orange: "
        "new with this finding. Nothing here? Nothing is known of the entity.",
    )
    board.row(260, (days, 12))

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
    board.chain(
        "timeline",
        found,
        f"""
{POINTS}
| eval _time=bucket
| stats sum(events) AS events BY _time
| sort 0 _time
""",
    )
    timeline = board.columns(
        "timeline_panel",
        "timeline",
        "Events per quarter hour (UTC)",
        "The first one raised it.",
        legendDisplay="off",
        xAxisTitleVisibility="hide",
        yAxisTitleVisibility="hide",
        seriesColors=["#0072B2"],
    )
    board.chain("said", found, SAID)
    said = board.table(
        "said_panel",
        "said",
        "Verdicts on this finding",
        {"When": 100, "Verdict": 90, "By": 110, "Comment": 110},
        description="The latest first. A row under What next gives one.",
    )
    board.row(360, (counted, 4), (timeline, 3), (said, 5))

    board.chain("others", found, OTHERS)
    others = board.table(
        "others_panel",
        "others",
        "All findings of this entity",
        {"When": 130, "Severity": 110, "Finding": 430, "Beside this one": 190, "Count": 70, "Status": 90},
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        description="The latest first. A row opens the finding.",
    )
    board.row(300, (others, 12))
    return board


def _one(field: str) -> str:
    """SPL that gives the one value of a field, or says that there is no finding."""
    return (
        f'| stats count AS found values({field}) AS {field} | eval {field}=if(found=0, "none", {field}) | table {field}'
    )


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
    """SPL that makes a row per thing to do, with the search that does it: the detection's drilldowns, then verdicts.

    Each is a template with $field$ or @field@ in it. It is taken apart before anything is put in, because a value may
    hold whatever it likes.
    """
    verdicts = ",\n    ".join(
        f'if({offered}, "{step}||{means}||| cbaverdict finding=\\"@finding_id@\\" {_quoted(options)}", null())'
        for step, (offered, options, means) in VERDICTS.items()
    )
    values = {name: f'coalesce({name}, "*")' for name in FILLED}
    put_in = "\n".join(
        f"| eval Step={filled('Step', name, value)}, _search={filled('_search', name, inner(value))}"
        for name, value in values.items()
    )
    return rf"""
| lookup cba_drilldowns detection OUTPUT title means search AS drilldown
| eval step=mvzip(title, mvzip(means, drilldown, "||"), "||")
| eval step=mvappend(step,
    "What is known of @entity@||its values, since when, established or not||| cbahistory entity=\"@entity@\"",
    {verdicts})
| mvexpand step
| eval Step=mvindex(split(step, "||"), 0), Means=mvindex(split(step, "||"), 1),
    _search=mvjoin(mvindex(split(step, "||"), 2, -1), "||")
{put_in}
| eval _earliest=if(match(_search, "cba_events_"), tostring(first_time), "0"),
    _latest=if(match(_search, "cba_events_"), tostring(last_time+1), "")
| table Step Means _search _earliest _latest
"""


def _quoted(options: str) -> str:
    return options.replace('"', '\\"')


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
    known=json_array_to_mv(json_extract(seen, "known")),
    Known=mvjoin(mvindex(known, 0, min(5, mvcount(known))-1), ", ")
        .if(mvcount(known)>5, " and ".(json_extract(seen, "seen")-5)." more", "")
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
    Value=value.if(of_finding=1, " ({OWN})", ""),
    {dates}
| eval {states}
| eval {numbers}
| table Value Dimension {" ".join(f"d{back}" for back in backs)} {" ".join(f"s{back}" for back in backs)}
"""


SIBLINGS = f"""
| lookup cba_findings detection, key OUTPUT finding_id AS sibling
| mvexpand sibling
| lookup cba_findings finding_id AS sibling OUTPUT opened_day AS day first_time AS time severity AS word
| where day=opened_day
| eval said=word.", ".strftime(time, "{EPOCH}"), less=if(time<first_time, said, null()),
    more=if(time>first_time, said, null())
| eventstats min(time) AS opened values(less) AS less values(more) AS more BY finding_id
| where sibling=finding_id
"""
"""SPL that adds when the finding's deduplication window opened, and the other findings raised in it."""

COUNTED = {
    "Raised by": f'strftime(first_time, "{EPOCH}:%S UTC").", the first event"',
    "Counted": 'if(suppressed_count>0, suppressed_count." more", "nothing more")',
    "First of them": f"""case(suppressed_count=0, null(), at_first=2, strftime(till, "{EPOCH}:%S UTC"),
        at_first>2, "within 15 minutes of the first event", true(), strftime(next, "{EPOCH}:%S UTC"))""",
    "Last of them": f'if(suppressed_count>0, strftime(last_suppressed_time, "{EPOCH}:%S UTC"), null())',
    "Same behaviour": 'mvjoin(json_array_to_mv(key), ", ")',
    "Window": f"""strftime(opened, "{EPOCH}")." to ".strftime(opened+86400*deduplication, "{EPOCH}")." UTC, "
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
{_pairs(COUNTED).strip()}
"""


SAID = f"""
| eval said=mvappend(json_array_to_mv(earlier_verdicts),
    if({GIVEN}, json_object("verdict", verdict, "by", triaged_by, "time", triaged_time, "comment", comment),
        json_object("verdict", "none yet", "comment", "")))
| mvexpand said
| eval time=json_extract(said, "time"), Verdict=json_extract(said, "verdict"), By=json_extract(said, "by"),
    Comment=json_extract(said, "comment")
| eval When=if(isnull(time), "", strftime(time, "{EPOCH}")), Verdict=if(Verdict="", "taken back", Verdict)
| sort 0 - time
| table When Verdict By Comment
"""

OTHERS = f"""
| eval own_id=finding_id, own_detection=detection, own_key=key, own_day=opened_day, own_time=first_time
| fields own_* entity
| lookup cba_findings entity OUTPUT finding_id
| mvexpand finding_id
| lookup cba_findings finding_id OUTPUT detection key opened_day first_time severity name count absorbed
| `cba_triage`
| sort 0 - first_time
| eval When=strftime(first_time, "{EPOCH}"), Severity=severity, Finding=name, Count=count, Status=status,
    "Beside this one"=case(finding_id=own_id, "this one",
        detection!=own_detection, "another detection", key!=own_key, "the same detection",
        opened_day!=own_day, "the same behaviour, another window",
        first_time>own_time, "the same window, more severe", true(), "the same window, less severe"),
    _finding_id=finding_id
| table When Severity Finding "Beside this one" Count Status _finding_id
"""
