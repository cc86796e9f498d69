"""One finding: what happened and why it was raised, the evidence scope by scope, what to do next."""

from __future__ import annotations

from pages.board import EPOCH, SEVERITY_COLOURS, Board, coloured, link, search_link

WORST = "| sort 0 - severity_id, - last_time | head 1"

# Label -> the text shown beside it; an empty one is left out.
FACTS = {
    "What happened": "name",
    "Why": "explanation",
    "Entity": "entity",
    "Identity": "if(identity=entity, null(), identity)",
    "Project": "project",
    "Source": "source_kind",
    "Country": "country",
    "Address": 'src_ip.if(as_org!="", " (AS".asn." ".as_org.")", "")',
    "Resource": "resource",
    "Process": 'process.if(host!="", " on ".host, "")',
    "Function": "function",
    "Runtime": "runtime",
    "Script": "script",
    "Flow": "flow",
    "Chain": "chain_timeline",
    "First event": f'strftime(first_time, "{EPOCH}:%S UTC")',
    "Last event": f'strftime(last_time, "{EPOCH}:%S UTC")',
    "Counted, not raised again": 'suppressed_count." events until ".strftime(last_time, "%Y-%m-%d %H:%M UTC")',
    "ATT&CK": "attack",
    "Variation": 'detection.", variation ".variation',
    "Status": "status",
    "Verdict": f'verdict." by ".owner.", ".strftime(triaged_time, "{EPOCH}")',
    "Comment": "comment",
    "Finding": "finding_id",
}

BACKSLASHES = "\\" * 16
FILLED = " ".join(
    (
        "entity",
        "identity",
        "project",
        "country",
        "workload",
        "process",
        "host",
        "resource",
    )
)
"""Fields that drilldowns of detections name as $field$."""

# What an analyst says of a finding, as the options of cbaverdict; the comment is to be written in the search bar.
VERDICTS = {
    "It is normal": ('verdict=benign comment="why"', "for this entity from now on; closes the finding"),
    "It is normal for the whole project": ('verdict=benign scope=project comment="why"', "and for everybody in it"),
    "It is normal for everybody": ('verdict=benign scope=organization comment="why"', "a new office, a new VPN exit"),
    "It is an attack": ('verdict=malicious comment="why"', "never counts as normal; the finding is in progress"),
    "Take the verdict back": ("verdict=clear", "the history speaks again; the finding is new"),
}


def page() -> Board:
    board = Board(
        "finding", "Finding", "One finding: why it was raised, what it is compared with, and what to do next."
    )
    board.text("finding", "Finding (* = most severe)", "*")
    found = board.search(
        "finding", f'| inputlookup cba_findings where finding_id="$finding$" {WORST}', earliest="0", latest=""
    )

    board.chain("severity", found, "| table severity")
    board.chain("score", found, "| table anomaly_score")
    board.chain("count", found, "| table count")
    board.chain("status", found, '| eval status=status.if(verdict!="", ": ".verdict, "") | table status')
    board.row(
        110,
        (board.number("severity_panel", "severity", "Severity"), 3),
        (board.number("score_panel", "score", "Anomaly score, of 100"), 3),
        (board.number("count_panel", "count", "Events"), 3),
        (board.number("status_panel", "status", "Status"), 3),
    )

    board.chain("facts", found, _pairs(FACTS))
    facts = board.table(
        "facts_panel",
        "facts",
        "What happened, and why it was raised",
        {"What": 130, "Value": 500},
        texts=("Value",),
        rows=30,
        description="Nothing here? There is no finding with this id: open one from the page Findings.",
    )
    board.chain("steps", found, _steps())
    steps = board.table(
        "steps_panel",
        "steps",
        "What next",
        {"Step": 260, "Means": 260},
        description="A row opens it as a search, which you may change before it runs.",
        click=search_link("$row._search.value|u$", "$row._earliest.value|u$", "$row._latest.value|u$"),
        rows=20,
    )
    board.row(620, (facts, 7), (steps, 5))

    board.chain("evidence", found, EVIDENCE)
    evidence = board.table(
        "evidence_panel",
        "evidence",
        "Evidence: what this is compared with, from the narrowest scope to the widest",
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
        description="Of the 30 days before the event. A row opens the entity.",
    )
    board.row(330, (evidence, 12))

    board.chain(
        "timeline",
        found,
        r"""
| rex field=atoms max_match=0 "\"(?<bucket>\d+)\|[^\"]*\":\[(?<events>\d+)"
| eval point=mvzip(bucket, events)
| mvexpand point
| eval _time=tonumber(mvindex(split(point, ","), 0)), events=tonumber(mvindex(split(point, ","), 1))
| stats sum(events) AS events BY _time
| sort 0 _time
""",
    )
    board.search(
        "others",
        f"""
| inputlookup cba_findings where finding_id="$finding$" {WORST}
| fields entity
| lookup cba_findings entity OUTPUT finding_id
| mvexpand finding_id
| lookup cba_findings finding_id OUTPUT first_time severity severity_id name explanation count status
| sort 0 - first_time
| eval When=strftime(first_time, "{EPOCH}"), Severity=severity, Finding=name, Explanation=explanation, Count=count,
    Status=status, _finding_id=finding_id
| table When Severity Finding Explanation Count Status _finding_id
""",
        earliest="0",
        latest="",
    )
    board.row(
        300,
        (
            board.columns(
                "timeline_panel",
                "timeline",
                "Events in this finding, per quarter of an hour (UTC)",
                legendDisplay="off",
                xAxisTitleVisibility="hide",
                yAxisTitleVisibility="hide",
                seriesColors=["#0072B2"],
            ),
            4,
        ),
        (
            board.table(
                "others_panel",
                "others",
                "All findings of this entity",
                {"When": 130, "Severity": 110, "Finding": 330, "Count": 70, "Status": 90},
                colours=[coloured("Severity", SEVERITY_COLOURS)],
                click=link("finding", finding="$row._finding_id.value|u$"),
            ),
            8,
        ),
    )
    return board


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
    """SPL that makes a row per thing to do, with the search that does it: the detection's drilldowns, then verdicts."""
    verdicts = ",\n    ".join(
        f'"{step}||{means}||| cbaverdict finding=".finding_id." {_quoted(options)}"'
        for step, (options, means) in VERDICTS.items()
    )
    # \x24 is a dollar sign: in a page, two of them would make a token. A backslash of a value is doubled for the search
    # it goes into, and each of both again for being part of a replacement.
    filled = "\n".join(
        rf'| eval step=replace(step, "\x24{name}\x24", replace(coalesce({name}, "*"), "\\\\", "{BACKSLASHES}"))'
        for name in FILLED.split()
    )
    return rf"""
| lookup cba_drilldowns detection OUTPUT title search AS drilldown
| eval step=mvzip(title, drilldown, "||what the detection suggests to look at||")
| eval quoted=replace(entity, "\\\\", "\\\\\\\\")
| eval step=mvappend(step,
    "What is known of ".entity."||its values, since when, established or not||| cbahistory entity=\"".quoted."\"",
    {verdicts})
| mvexpand step
{filled}
| eval Step=replace(mvindex(split(step, "||"), 0), "\\\\\\\\", "\\\\"), Means=mvindex(split(step, "||"), 1),
    _search=mvjoin(mvindex(split(step, "||"), 2, -1), "||"),
    _earliest=if(match(_search, "cbaverdict|cbahistory"), "0", tostring(first_time)),
    _latest=if(match(_search, "cbaverdict|cbahistory"), "", tostring(last_time+1))
| table Step Means _search _earliest _latest
"""


def _quoted(options: str) -> str:
    return options.replace('"', '\\"')


EVIDENCE = r"""
| eval scope=split("identity,host,project,organization", ",")
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
    Known=mvjoin(json_array_to_mv(json_extract(seen, "known")), ", ")
| table Scope Of Dimension Value New "Seen on days" "Established values" "Active on days" Known
"""
