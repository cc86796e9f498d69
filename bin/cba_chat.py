"""The alert action cba_chat: posts the finding of an alert to a webhook of Slack, of Microsoft Teams, or both.

splunkd starts it as `cba_chat.py --execute` with the alert as JSON on stdin, once for each alert:
https://docs.splunk.com/Documentation/Splunk/9.4.0/AdvancedDev/ModAlertsLog and …/AdvancedDev/ModAlertsIntro
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from cba.findings.chat import link, slack, teams  # noqa: E402

MESSAGES = {"slack_url": slack, "teams_url": teams}
TIMEOUT = 20.0


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook answers by itself; whoever sends us elsewhere gets nothing."""

    def redirect_request(self, *_arguments):
        return None


def post(address, message, opener=None):
    """Posts a message. Raises OSError (or HTTPError, which is one) where that fails."""
    if urlsplit(address).scheme != "https":
        raise OSError("the address does not begin with https://")
    body = json.dumps(message).encode("utf-8")
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")
    with (opener or urllib.request.build_opener(NoRedirect)).open(asked, timeout=TIMEOUT) as answer:
        answer.read(1000)


def run(payload, send=post):
    """Posts to each webhook that is set; what failed, without addresses: whoever knows one may post to it."""
    finding, problems = payload.get("result") or {}, []
    address = link(str(payload.get("results_link") or ""), str(finding.get("finding_id") or ""))
    for name, message in MESSAGES.items():
        webhook = str((payload.get("configuration") or {}).get(name) or "").strip()
        if webhook:
            try:
                send(webhook, message(finding, address))
            except (OSError, ValueError) as error:
                told = str(error).replace(webhook, "the webhook")
                problems.append(f"{name}: {type(error).__name__}: {told}")
    return problems


def main(arguments):
    if arguments[1:2] != ["--execute"]:
        print("FATAL only --execute is known", file=sys.stderr)
        return 1
    try:
        problems = run(json.load(sys.stdin))
    except (ValueError, AttributeError, TypeError) as error:
        problems = [f"the alert cannot be read: {type(error).__name__}"]
    for problem in problems:
        print(f"ERROR cba_chat: {problem}", file=sys.stderr)
    return 2 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
