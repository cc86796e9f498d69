"""Countries: where from something was done for the first time, on a map. A row of the list leads to the findings."""

from __future__ import annotations

from pages.board import Board, chooses, link
from pages.raised import ALL, OF_NEW_COUNTRIES, country_choice, raised_findings
from pages.spl import token

SAME = {
    "severity": "$severity|u$", "status": "$status|u$",
    **{f"range.{edge}": f"$range.{edge}|u$" for edge in ("earliest", "latest")},
}  # fmt: skip
"""What is chosen here, for a page with the same inputs."""


def page() -> Board:
    board = Board(
        "countries", "Countries", "The countries that were new to somebody. A row opens the findings about one."
    )
    raised = raised_findings(board, ALL)
    country_choice(board, raised)
    countries = board.chain(
        "countries",
        raised,
        f"""
{OF_NEW_COUNTRIES}
| stats count AS findings count(eval(severity_id>=4)) AS Severe count(eval(status!="closed")) AS Open
    dc(entity) AS Entities min(first_time) AS first max(last_time) AS last BY country_name code
| sort 0 - findings, country_name
| eval name=country_name, Country=country_name, Findings=findings, First=strftime(first, "%Y-%m-%d"),
    Last=strftime(last, "%Y-%m-%d"), _code=code
| table name findings code Country Findings Severe Open Entities First Last _code
""",
    )
    board.chain("chosen", countries, f"| search code={token('country')}")
    board.row(
        520,
        (
            board.world(
                "map_panel",
                "countries",
                "Countries that were new",
                "Light blue: 1 finding, blue: 2 to 4, orange: 5 or more. A click chooses one.",
                click=chooses("country", "code"),
            ),
            5,
        ),
        (
            board.table(
                "countries_panel",
                "chosen",
                "The same as a list",
                {"Country": 130, "Findings": 85, "Severe": 75, "Open": 70, "Entities": 80, "First": 120, "Last": 120},
                click=link("findings", country="$row._code.value|u$", **SAME),
                description="A row opens its findings. Severe: high or critical. Nothing here? None is about one.",
                rows=50,
            ),
            7,
        ),
    )
    return board
