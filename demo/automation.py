"""Automation in the offices: who makes Power Automate flows and Apps Script projects; everybody's rules and shares."""

from __future__ import annotations

from typing import Iterator

from .accounts import SUBSIDIARY, WORKSPACE
from .formats import m365, workspace
from .formats.azure import stable_uuid
from .people import office_address
from .story import Step

MAKERS = ("joost.dekker", "james.cole")
"""The people who make flows; the organization's UserContext."""
SCRIPT = "Budget import"
"""The one script that is meant to be; the organization's ScriptScope."""


def flow_id(name: str) -> str:
    """The id of a named flow."""
    return stable_uuid("flow/" + name)


def script_id(title: str) -> str:
    """The id of a named script in Drive."""
    return "1" + stable_uuid("script/" + title).replace("-", "")


def steps(days: int) -> Iterator[Step]:
    """What is automated and shared, day by day (day 0 counts as a Monday)."""
    approval = m365.flow("EditFlow", flow_id("Invoice approval"), "SharePoint", "Approvals")
    newsletter = m365.flow("EditFlow", flow_id("Newsletter"), "SharePoint", "Office 365 Outlook")
    script = workspace.script("edit", script_id(SCRIPT), SCRIPT)
    approved = workspace.approve(SCRIPT, "spreadsheets", "script.scriptapp")
    for day in range(days):
        if day % 7 == 0:
            yield Step(day, "09:41:00", "joost.dekker/m365", approval, office_address("NL"))
            yield Step(day, "08:30:12", f"ines.ortega/{WORKSPACE}", script, office_address("ES", SUBSIDIARY))
            yield Step(day, "08:30:40", f"ines.ortega/{WORKSPACE}", approved, office_address("ES", SUBSIDIARY))
        if day % 7 == 3:
            yield Step(day, "10:12:30", "james.cole/m365", newsletter, office_address("GB"))
            news = m365.inbox_rule("News", From="news@vendor.example", MoveToFolder="News")
            yield Step(
                day, "11:02:00", "nina.vos/m365" if day >= 34 else "sanne.mulder/m365", news, office_address("NL")
            )
        if day % 7 == 4:
            brochure = m365.link_for_anyone(f"brochure-{day}.pdf")
            yield Step(day, "14:20:00", "anouk.visser/m365", brochure, office_address("NL"))
