"""Findings: what has been raised, worst first; a row opens the finding."""

from __future__ import annotations

from pages.board import MOST_AT_ONCE, SEVERITY_COLOURS, VERDICT, WHEN, Board, chooses, coloured, link
from pages.raised import OF_NEW_COUNTRIES, OPEN, choices, country_choice, raised_findings
from pages.spl import contains, token

ABOUT = """case(new_country=1, country_name, len(outside)>0, outside,
        true(), mvindex(json_array_to_mv(key), -1))"""
"""What a finding is about, in a word or two."""

SEVERAL = f"""
| sort 0 - severity_id, - anomaly_score, - first_time
| head {MOST_AT_ONCE}
| stats count list(finding_id) AS ids
| where count>0
| eval Decide="Choose among the ".count." findings above, and say the same of those: verdict, status, assignee."
    .if(count={MOST_AT_ONCE}, " These are the first {MOST_AT_ONCE}.", ""), _ids=mvjoin(ids, ",")
| table Decide _ids
"""

PER_SEVERITY = " ".join(f'count(eval(severity="{name}")) AS {name}' for name in SEVERITY_COLOURS)


def page() -> Board:
    board = Board("findings", "Findings", "What has been raised, the most severe first. A row opens the finding.")
    raised = raised_findings(board, OPEN)
    board.chain("detection_choices", raised, choices("detection", "detection_name"))
    board.choice_of("detection", "Detection", "detection_choices")
    country_choice(board, raised)
    board.text("entity", "Entity: part of its name", "*")
    # The list of countries shows the others, too, so that one click leads from country to country.
    anywhere = board.chain(
        "anywhere", raised, f"| search detection={token('detection')}\n| where {contains('entity', 'entity')}"
    )
    found = board.chain("found", anywhere, f"| search code={token('country')}")

    board.chain(
        "list",
        found,
        f"""
| sort 0 - severity_id, - anomaly_score, - first_time
| eval When=strftime(first_time, "{WHEN}"), Severity=severity, Finding=name, Entity=entity,
    Rank=severity_id*100+anomaly_score, Count=count, Status=status, _finding_id=finding_id,
    About={ABOUT}
| table Severity Rank When Finding Entity About Count Status _finding_id
""",
    )
    table = board.table(
        "list_panel",
        "list",
        "Findings, the most severe first",
        {
            "Severity": 105,
            "Rank": 70,
            "When": 115,
            "Finding": 440,
            "Entity": 250,
            "About": 160,
            "Count": 70,
            "Status": 85,
        },
        texts=("About",),
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        description="Rank: severity, then score. A row opens the finding. Nothing here? Choose a longer time range or "
        "another status; Health says what is not active yet.",
        rows=25,
    )
    board.row(630, (table, 12))

    board.chain("several", found, SEVERAL)
    several = board.table(
        "several_panel",
        "several",
        "Several at once",
        {"Decide": 900},
        texts=("Decide",),
        header=False,
        click=f"{VERDICT}?findings=$row._ids.value|u$&back=findings",
    )
    board.chain("count", found, "| stats count")
    board.chain("severe", found, "| where severity_id>=4 | stats count")
    board.chain("medium", found, '| where severity="medium" | stats count')
    board.chain("entities", found, "| stats dc(entity) AS entities")
    board.row(
        110,
        (several, 4),
        (board.number("count_panel", "count", "Findings"), 2),
        (board.number("severe_panel", "severe", "High and critical"), 2),
        (board.number("medium_panel", "medium", "Medium"), 2),
        (board.number("entities_panel", "entities", "Entities"), 2),
    )

    board.chain(
        "per_day",
        found,
        f"| eval _time=first_time | bin _time span=1d | stats {PER_SEVERITY} BY _time | sort 0 _time",
    )
    board.chain(
        "countries",
        anywhere,
        f"""
{OF_NEW_COUNTRIES}
| stats count AS Findings BY country_name code
| sort 0 - Findings, country_name
| eval Country=country_name, _code=code
| table Country Findings _code
""",
    )
    board.row(
        330,
        (
            board.columns(
                "per_day_panel",
                "per_day",
                "Findings per day",
                "By their first events.",
                stackMode="stacked",
                legendDisplay="bottom",
                seriesColorsByField=SEVERITY_COLOURS,
                xAxisTitleVisibility="hide",
                yAxisTitleVisibility="hide",
            ),
            8,
        ),
        (
            board.table(
                "countries_panel",
                "countries",
                "New countries",
                {"Country": 180, "Findings": 85},
                click=chooses("country", "_code"),
                description="A row filters. The page Countries has a map.",
                rows=50,
            ),
            4,
        ),
    )

    board.chain(
        "detections",
        found,
        """
| stats count AS Findings count(eval(severity_id>=4)) AS Severe count(eval(severity="medium")) AS Medium
    dc(entity) AS Entities count(eval(status="new")) AS New count(eval(verdict="benign")) AS Benign
    count(eval(verdict="malicious")) AS Malicious max(last_time) AS last BY detection_name detection
| sort 0 - Severe, - Medium, - Findings, detection
| eval Detection=detection_name, Last=strftime(last, "%Y-%m-%d"), _detection=detection
| table Detection Findings Severe Medium Entities New Benign Malicious Last _detection
""",
    )
    detections = board.table(
        "detections_panel",
        "detections",
        "By detection",
        {
            "Detection": 400,
            "Findings": 85,
            "Severe": 75,
            "Medium": 75,
            "Entities": 80,
            "New": 60,
            "Benign": 75,
            "Malicious": 85,
            "Last": 90,
        },
        click=chooses("detection", "_detection"),
        description="Severe: high or critical. New: without a verdict. A row shows that detection only.",
    )
    board.row(400, (detections, 12))
    return board
