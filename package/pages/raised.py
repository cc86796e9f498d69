"""What has been raised, for the pages that list it: their first inputs, and the search that the others go on with."""

from __future__ import annotations

from pages.board import Board
from pages.spl import token

SEVERITIES = {"all": "0", "low and above": "2", "medium and above": "3", "high and above": "4"}
"""Choice -> the lowest severity_id."""
OPEN, ALL = "open", "all"
STATUSES = {OPEN: OPEN, "new": "new", "in progress": "in progress", "closed": "closed", ALL: ALL}
HAS_STATUS = f'in({token("status")}, "{ALL}", status) OR ({token("status")}="{OPEN}" AND status!="closed")'

NEW_COUNTRY = """case(isnull(json_extract(evidence, "values.country")), 0,
    coalesce(json_extract(evidence, "scopes.identity.country.new"), "false")="true", 1,
    coalesce(json_extract(evidence, "scopes.project.country.new"), "false")="true", 1, true(), 0)"""
"""Whether a finding's country was new to somebody; where its country is only where somebody works as always, it is not
one of the countries that were new."""

NO_COUNTRY = "none"
"""Stands for the country of a finding that has none, so that a filter by country can let it pass."""

OF_NEW_COUNTRIES = f'| where code!="{NO_COUNTRY}" AND new_country=1'
"""Leaves the findings about countries that were new."""


def raised_findings(board: Board, status: str) -> str:
    """Adds time range, severity and status (at first this one), and the search: a finding a row with detection_name,
    `code` and country_name of its country, and whether that was new (`new_country`). Answers the search's name."""
    board.time_range()
    board.choice("severity", "Severity", SEVERITIES, SEVERITIES["all"])
    board.choice("status", "Status", STATUSES, status)
    return board.search(
        "raised",
        f"""
| inputlookup cba_findings
| `cba_findings_in_range`
| where severity_id>=tonumber({token("severity")})
| `cba_triage`
| where {HAS_STATUS}
| eval base="base", code=if(len(country)>0 AND country!="-", country, "{NO_COUNTRY}")
| lookup cba_detections detection, variation AS base OUTPUT name AS detection_name
| lookup cba_countries country AS code OUTPUT name AS country_name
| eval detection_name=coalesce(detection_name, detection), country_name=coalesce(country_name, code),
    new_country={NEW_COUNTRY}
""",
    )


def country_choice(board: Board, raised: str) -> None:
    """Adds an input for one of the countries of what was raised, or all."""
    board.chain("country_choices", raised, choices("code", "country_name"))
    board.choice_of("country", "Country", "country_choices")


def choices(value: str, label: str) -> str:
    """SPL that makes the rows of a dropdown: all, then what there is."""
    return f"""
| stats count BY {value} {label}
| append
    [| makeresults
    | eval {value}="*", {label}="all"]
| eval label={label}, value={value}, place=if(value="*", 0, 1)
| sort 0 place, label
| table label value
"""
