"""Findings: what has been raised, worst first; a row opens the finding."""

from __future__ import annotations

from pages.board import EPOCH, SEVERITY_COLOURS, Board, coloured, link

SEVERITIES = {
    "all": "severity_id>=0",
    "low and above": "severity_id>=2",
    "medium and above": "severity_id>=3",
    "high and above": "severity_id>=4",
}
STATUSES = {"open": 'status!="closed"', "new": 'status="new"', "closed": 'status="closed"', "all": "status=*"}

SHOWN = 240
"""Characters of an explanation in the list; the finding's own page has all of it."""

PER_SEVERITY = " ".join(f'count(eval(severity="{name}")) AS {name}' for name in SEVERITY_COLOURS)


def page() -> Board:
    board = Board("findings", "Findings", "What has been raised, the most severe first. A row opens the finding.")
    board.time_range()
    board.choice("severity", "Severity", SEVERITIES, SEVERITIES["all"])
    board.choice("status", "Status", STATUSES, STATUSES["open"])
    found = board.search("found", "| inputlookup cba_findings where $severity$ $status$ | `cba_findings_in_range`")

    board.chain("count", found, "| stats count")
    board.chain("severe", found, "| where severity_id>=4 | stats count")
    board.chain("medium", found, '| where severity="medium" | stats count')
    board.chain("entities", found, "| stats dc(entity) AS entities")
    board.row(
        130,
        (board.number("count_panel", "count", "Findings"), 3),
        (board.number("severe_panel", "severe", "High and critical"), 3),
        (board.number("medium_panel", "medium", "Medium"), 3),
        (board.number("entities_panel", "entities", "Entities"), 3),
    )

    board.chain(
        "per_day",
        found,
        f"| eval _time=first_time | bin _time span=1d | stats {PER_SEVERITY} BY _time | sort 0 _time",
    )
    board.chain(
        "countries",
        found,
        '| where isnotnull(country) AND country!="" AND country!="-" | stats count AS findings BY country '
        "| sort 0 - findings, country | head 12",
    )
    board.chain(
        "detections",
        found,
        "| stats count AS Findings count(eval(severity_id>=4)) AS Severe BY detection | rename detection AS Detection "
        "| sort 0 - Findings, Detection",
    )
    board.row(
        270,
        (
            board.columns(
                "per_day_panel",
                "per_day",
                "Findings per day (UTC)",
                stackMode="stacked",
                legendDisplay="bottom",
                seriesColorsByField=SEVERITY_COLOURS,
                xAxisTitleVisibility="hide",
                yAxisTitleVisibility="hide",
            ),
            5,
        ),
        (_bars(board, "countries_panel", "countries", "Countries"), 3),
        (
            board.table(
                "detections_panel", "detections", "Detections", {"Detection": 220, "Findings": 85, "Severe": 75}
            ),
            4,
        ),
    )

    board.chain(
        "list",
        found,
        f"""
| sort 0 - severity_id, - first_time
| eval When=strftime(first_time, "{EPOCH}"), Severity=severity, Finding=name, Entity=entity,
    Score=anomaly_score, Count=count, Status=status, _finding_id=finding_id,
    Explanation=if(len(explanation)>{SHOWN}, substr(explanation, 1, {SHOWN})." …", explanation)
| table When Severity Finding Entity Explanation Score Count Status _finding_id
""",
    )
    table = board.table(
        "list_panel",
        "list",
        "Findings, the most severe first",
        {
            "When": 105,
            "Severity": 105,
            "Finding": 215,
            "Entity": 190,
            "Explanation": 370,
            "Score": 70,
            "Count": 70,
            "Status": 85,
        },
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        description="Nothing here? Choose a longer time range or another status; Health says what is not active yet.",
        rows=25,
    )
    board.row(900, (table, 12))
    return board


def _bars(board: Board, name: str, source: str, title: str) -> str:
    return board.bars(
        name,
        source,
        title,
        legendDisplay="off",
        seriesColors=["#0072B2"],
        xAxisTitleVisibility="hide",
        yAxisTitleVisibility="hide",
    )
