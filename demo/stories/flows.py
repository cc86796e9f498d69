"""Stories of `serverless_execution_office`: Power Automate flows made by people of whom nobody expects it."""

from __future__ import annotations

from ..automation import flow_id
from ..formats.m365 import flow, inbox_rule, link_for_anyone
from ..people import office_address
from ..story import ANY, Alert, Step, Story, steps_of


def about_flow(variation: str, name: str = ANY) -> Alert:
    """The alert about the flow of that name, or about whatever flow."""
    return Alert("serverless_execution_office", variation, {"flow": name if name == ANY else flow_id(name)})


ATTACKS: tuple[Story, ...] = (
    Story(
        id="quiet-flow",
        title="A flow that lists the files of a hijacked account",
        account="lotte.smit/m365",
        alerts=(about_flow("base", "Sync"),),
        why="she has never made a flow and is not in UserContext; the flow itself does nothing suspicious",
        steps=steps_of(
            "lotte.smit/m365", office_address("NL"), (38, "18:03:40", flow("CreateFlow", flow_id("Sync"), "SharePoint"))
        ),
    ),
    Story(
        id="mail-diversion",
        title="A hijacked mailbox passes its mail on to the attacker, and a flow sees that it stays that way",
        account="sanne.mulder/m365",
        alerts=(about_flow("v1", "Keep rule"),),
        why="the flow follows an inbox rule that forwards to somebody outside, so all is there when it is made",
        steps=(
            Step(
                41,
                "16:20:10",
                "sanne.mulder/m365",
                inbox_rule(".", ForwardTo="box77@freemail.example"),
                office_address("NL"),
            ),
            Step(
                41,
                "16:41:55",
                "sanne.mulder/m365",
                flow("CreateFlow", flow_id("Keep rule"), "Office 365 Outlook"),
                office_address("NL"),
            ),
        ),
    ),
    Story(
        id="colleague-forward",
        title="A hijacked account makes a flow, and an hour later a rule that passes mail on to a hijacked colleague",
        account="marek.wrona/m365",
        alerts=(about_flow("v2", "Collect"), about_flow("base", "Collect")),
        why="the forwarding stays inside the tenant; the flow alone was raised an hour before",
        steps=steps_of(
            "marek.wrona/m365",
            office_address("PL"),
            (43, "09:15:00", flow("CreateFlow", flow_id("Collect"), "SharePoint")),
            (43, "10:21:30", inbox_rule("..", RedirectTo="lotte.smit@nordwind.example")),
        ),
    ),
    Story(
        id="web-hook",
        title="A flow that sends new files to any web address",
        account="priya.sharma/m365",
        alerts=(about_flow("v3", "Export"),),
        why="the HTTP connector is in FlowActions",
        steps=steps_of(
            "priya.sharma/m365",
            office_address("IN"),
            (37, "06:40:21", flow("CreateFlow", flow_id("Export"), "SharePoint", "HTTP")),
        ),
    ),
    Story(
        id="maker-turned",
        title="The approval flow of a maker whose session was stolen gets a copy to Dropbox",
        account="joost.dekker/m365",
        alerts=(about_flow("v3", "Invoice approval"),),
        why="he is in UserContext and has edited the flow for weeks, but the connector is new to him",
        steps=steps_of(
            "joost.dekker/m365",
            office_address("NL"),
            (39, "19:55:02", flow("EditFlow", flow_id("Invoice approval"), "SharePoint", "Approvals", "Dropbox")),
        ),
    ),
)

SURPRISES: tuple[Story, ...] = (
    Story(
        id="new-flow",
        title="A maker makes another flow",
        account="james.cole/m365",
        alerts=(about_flow("base", "Holidays"),),
        why="in UserContext, and yet a flow that is new to him",
        steps=steps_of(
            "james.cole/m365",
            office_address("GB"),
            (33, "11:20:00", flow("CreateFlow", flow_id("Holidays"), "SharePoint")),
        ),
    ),
)

DECOYS: tuple[Story, ...] = (
    Story(
        id="holiday-rule",
        title="Mail is passed on to a private address during a holiday",
        account="greg.holloway/m365",
        alerts=(about_flow(""),),
        why="no flow has anything to do with it",
        steps=steps_of(
            "greg.holloway/m365",
            office_address("US"),
            (36, "20:10:00", inbox_rule("Holiday", ForwardTo="greg77@freemail.example")),
        ),
    ),
    Story(
        id="maker-share",
        title="A maker edits his flow, and shares a brochure with everybody",
        account="james.cole/m365",
        alerts=(about_flow("", "Newsletter"),),
        why="making flows is expected of him, and neither the flow nor its connectors are new",
        steps=steps_of(
            "james.cole/m365",
            office_address("GB"),
            (40, "10:30:00", flow("EditFlow", flow_id("Newsletter"), "SharePoint", "Office 365 Outlook")),
            (40, "10:45:00", link_for_anyone("newsletter.pdf")),
        ),
    ),
    Story(
        id="colleagues-link",
        title="A colleague shares a file on the day on which somebody else's flow was raised",
        account="tomasz.nowak/m365",
        alerts=(about_flow(""),),
        why="a chain belongs to one person",
        steps=steps_of("tomasz.nowak/m365", office_address("PL"), (38, "15:00:00", link_for_anyone("slides.pptx"))),
    ),
)
