"""A finding as a message in a chat: what Slack's and Microsoft Teams' incoming webhooks take.

- https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and …/messaging/formatting-message-text
- https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
  (an adaptive card, which workflows of Teams take, too)

What stands in a finding was chosen by attackers: it is text, and never a link, a mention or a format.
"""

from __future__ import annotations

from typing import Any, Mapping
from urllib.parse import quote

from ..terms import APP

FINDING = f"/app/{APP}/finding?form.finding="
LONGEST = 2800
"""Characters of an explanation: Slack takes 3,000 in a block."""
COLOURS = {"critical": "Attention", "high": "Attention", "medium": "Warning"}
FACTS = (("entity", "Who"), ("project", "Where"), ("country", "Country"), ("src_ip", "Address"), ("operations", "Did"))

Finding = Mapping[str, Any]


def link(results_link: str, finding_id: str) -> str:
    """The address of the finding's page: on the search head whose results Splunk links to; "" where nobody knows it."""
    head, found, _rest = results_link.partition("/app/")
    return f"{head}{FINDING}{quote(finding_id, safe='')}" if found and head.startswith(("https://", "http://")) else ""


def slack(finding: Finding, address: str) -> dict[str, Any]:
    """The message for Slack."""
    severity, name = _text(finding, "severity"), _text(finding, "name")
    facts = "\n".join(f"*{label}* {_slack(_text(finding, field))}" for field, label in FACTS if _text(finding, field))
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": f"{severity}: {name}"[:150], "emoji": False}},
        {"type": "section", "text": {"type": "mrkdwn", "text": facts or "-", "verbatim": True}},
        {"type": "section", "text": {"type": "plain_text", "text": _explanation(finding), "emoji": False}},
    ]
    if address:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open the finding"}, "url": address}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _slack(f"{severity}: {name}: {_text(finding, 'entity')}"), "blocks": blocks}


def teams(finding: Finding, address: str) -> dict[str, Any]:
    """The message for Teams."""
    severity = _text(finding, "severity")
    title = {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True}
    facts = [
        {"title": label, "value": _teams(_text(finding, field))} for field, label in FACTS if _text(finding, field)
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                **title,
                "color": COLOURS.get(severity, "Default"),
                "text": _teams(f"{severity}: {_text(finding, 'name')}"),
            },
            {"type": "FactSet", "facts": facts},
            {"type": "TextBlock", "wrap": True, "text": _teams(_explanation(finding))},
        ],
    }
    if address:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the finding", "url": address}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(finding: Finding, field: str) -> str:
    value = finding.get(field) or ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _explanation(finding: Finding) -> str:
    text = _text(finding, "explanation") or "-"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _slack(text: str) -> str:
    """As Slack escapes what is no markup of its own."""
    return (
        "`" + text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'") + "`"
        if text
        else ""
    )


def _teams(text: str) -> str:
    """Without what an adaptive card's Markdown would take for a link, a list or an emphasis."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]()#+-!|<>" else letter for letter in text)
