"""Everything known about one identity, host, project, function, role or resource."""

from __future__ import annotations

from pages.board import EPOCH, SEVERITY_COLOURS, Board, coloured, link

VALUES_DRAWN = 20
FIELDS = ("entity", "identity", "project", "host", "function", "role", "resource", "workload", "script", "flow")
"""Fields of a finding that name an entity."""

HISTORY = '| cbahistory entity="$entity$"'


def page() -> Board:
    board = Board("entity", "Entity", "What is known about an identity, host, project, function, role or resource.")
    board.text("entity", "Entity", "organization")
    known = board.search("known", HISTORY, earliest="0", latest="now")
    named = " OR ".join(f'{name}="$entity$"' for name in FIELDS)
    found = board.search(
        "found", f'| inputlookup cba_findings | where "$entity$"="organization" OR {named}', earliest="0", latest=""
    )

    board.chain("values", known, "| stats count")
    board.chain("established", known, "| where established=1 | stats count")
    board.chain("since", known, '| stats min(first_day) AS since | eval since=coalesce(since, "never")')
    board.chain("findings", found, "| stats count")
    board.row(
        110,
        (board.number("values_panel", "values", "Values known"), 3),
        (board.number("established_panel", "established", "Of these established"), 3),
        (board.number("since_panel", "since", "Known since"), 3),
        (board.number("findings_panel", "findings", "Findings"), 3),
    )

    board.chain(
        "days",
        known,
        f"""
| sort 0 established, - days_training, value
| head {VALUES_DRAWN}
| eval day=split(days, " ")
| mvexpand day
| where day!=""
| eval day=substr(day, 6), size=if(established=1, 1, 2)
| sort 0 day
| table day value size
""",
    )
    days = board.days(
        "days_panel",
        "days",
        "Which value on which day of the training period (UTC)",
        f"Blue: established. Yellow: provisional. {VALUES_DRAWN} values at most. Nothing? Nothing learned in 30 days.",
    )
    board.chain("list", found, _listed())
    listed = board.table(
        "list_panel",
        "list",
        "Findings",
        {"When": 95, "Severity": 100, "Finding": 140, "Count": 65, "Status": 70},
        colours=[coloured("Severity", SEVERITY_COLOURS)],
        click=link("finding", finding="$row._finding_id.value|u$"),
        rows=12,
        description="A row opens the finding. Nothing here is good news.",
    )
    board.row(480, (days, 7), (listed, 5))

    board.chain(
        "table",
        known,
        """
| sort 0 profile, - days_training, value
| eval Profile=profile, Value=value, State=if(established=1, "established", "provisional"), First=first_day,
    Last=last_day,
    Days=days_training, Trained=if(trained=1, "yes", "not yet"), Verdict=verdict
| table Profile Value State First Last Days Trained Verdict
""",
    )
    table = board.table(
        "table_panel",
        "table",
        "What is known",
        {
            "Profile": 155,
            "Value": 150,
            "State": 100,
            "First": 95,
            "Last": 95,
            "Days": 60,
            "Trained": 90,
            "Verdict": 75,
        },
        texts=("Value",),
        colours=[coloured("State", {"provisional": SEVERITY_COLOURS["medium"]})],
        description=(
            "Established values count as normal, provisional ones are new. Nothing? Write the name as in a finding."
        ),
        rows=20,
    )
    board.chain("related", found, _related())
    related = board.table(
        "related_panel",
        "related",
        "Related entities",
        {"Kind": 85, "Name": 185, "Findings": 85},
        texts=("Name",),
        click=link("entity", entity="$row.Name.value|u$"),
        description="Named by the same findings. A row opens the entity.",
        rows=20,
    )
    board.row(620, (table, 8), (related, 4))
    return board


def _listed() -> str:
    return f"""
| sort 0 - first_time
| eval When=strftime(first_time, "{EPOCH}"), Severity=severity, Finding=name, Count=count,
    Status=status, _finding_id=finding_id
| table When Severity Finding Count Status _finding_id
"""


def _related() -> str:
    kinds = [name for name in FIELDS if name != "entity"]
    pairs = ", ".join(f'if(len({name})>1 AND {name}!="$entity$", "{name}||".{name}, null())' for name in kinds)
    return f"""
| eval other=mvappend({pairs})
| mvexpand other
| where isnotnull(other)
| stats count AS Findings BY other
| eval Kind=mvindex(split(other, "||"), 0), Name=mvindex(split(other, "||"), 1)
| sort 0 - Findings, Kind, Name
| table Kind Name Findings
"""
