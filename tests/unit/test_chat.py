"""The alert action cba_chat: what it posts to Slack and Teams, and what of an attacker's words it lets through."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import cba_chat
import pytest

from cba.findings.chat import link, slack, teams
from lab.replay import APP_DIR

LINK = "https://splunk.example.com:8000/app/cloud_behavior_analytics/@go?sid=scheduler__1"
FINDING = {
    "finding_id": "7d44fb", "severity": "high", "name": "A role was used elsewhere", "entity": "role/shop", "country": "NL",
    "operations": "GetObject | ListBuckets", "explanation": "Country NL: first time in 30 days.", "src_ip": "203.0.113.9",
}  # fmt: skip
HOOKS = {"slack_url": "https://hooks.slack.example/T/1", "teams_url": "https://teams.example/w/2"}


def posted(configuration: dict[str, str], **finding: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """(address, message) of all that was posted, and the problems."""
    sent: list[tuple[str, str]] = []
    payload = {"configuration": configuration, "result": {**FINDING, **finding}, "results_link": LINK}
    problems = cba_chat.run(payload, lambda address, message: sent.append((address, json.dumps(message))))
    return sent, problems


def test_a_finding_goes_to_each_webhook_that_is_set() -> None:
    sent, problems = posted(HOOKS)
    assert [address for address, _message in sent] == list(HOOKS.values()) and problems == []
    for _address, message in sent:
        assert "A role was used elsewhere" in message and "203.0.113.9" in message.replace("\\\\", "")
        assert "https://splunk.example.com:8000/app/cloud_behavior_analytics/finding?form.finding=7d44fb" in message
    assert posted({"slack_url": "", "teams_url": ""}) == ([], [])


def test_words_of_an_attacker_are_neither_links_nor_mentions() -> None:
    evil = "<!channel> <https://evil.example|click> [x](https://evil.example) `a` *b*"
    made = slack({**FINDING, "entity": evil, "explanation": evil}, "")
    for block in made["blocks"]:
        text = block["text"]
        assert text["type"] == "plain_text" or ("<" not in text["text"] and text["text"].count("`") % 2 == 0)
    assert "<" not in made["text"]
    card = teams({**FINDING, "entity": evil, "explanation": evil}, "")["attachments"][0]["content"]
    facts = {fact["title"]: fact["value"] for fact in card["body"][1]["facts"]}
    assert "\\[x\\]\\(https://evil.example\\)" in facts["Who"] and "actions" not in card


def test_long_explanations_fit_and_missing_fields_do_not_matter() -> None:
    made = slack({"explanation": "x" * 9000, "name": "n" * 400}, "")
    assert all(len(block["text"]["text"]) <= 3000 for block in made["blocks"])
    assert len(made["blocks"][0]["text"]["text"]) <= 150
    assert teams({}, "")["attachments"][0]["content"]["body"]


def test_the_link_leads_to_the_finding_on_the_same_search_head() -> None:
    assert link("javascript:alert(1)/app/x", "1") == "" == link("", "1")
    assert link(LINK, "a&b").endswith("finding?form.finding=a%26b")


def test_what_fails_is_told_without_the_address_and_stops_no_other() -> None:
    def fails(address: str, _message: Any) -> None:
        if "slack" in address:
            raise OSError(f"no route to {address}")

    payload = {"configuration": HOOKS, "result": FINDING, "results_link": LINK}
    (problem,) = cba_chat.run(payload, fails)
    assert problem == "slack_url: OSError: no route to the webhook"


def test_only_https_and_no_redirect() -> None:
    with pytest.raises(OSError, match="https"):
        cba_chat.post("http://hooks.example.com", {})
    assert cba_chat.NoRedirect().redirect_request("a", "b") is None

    class Opener:
        def open(self, asked: Any, timeout: float) -> io.BytesIO:
            assert (asked.get_method(), asked.get_header("Content-type"), timeout) == ("POST", "application/json", 20.0)
            assert json.loads(asked.data) == {"text": "é"}
            return io.BytesIO(b"ok")

    cba_chat.post("https://hooks.example.com", {"text": "é"}, Opener())


def test_splunkd_starts_it() -> None:
    def started(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(APP_DIR / "bin" / "cba_chat.py"), *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)

    assert started(json.dumps({"configuration": {}, "result": FINDING}), "--execute").returncode == 0
    broken = started("{", "--execute")
    assert (broken.returncode, "cannot be read" in broken.stderr) == (2, True)
    insecure = json.dumps({"configuration": {"slack_url": "http://hooks.example.com"}, "result": FINDING})
    assert "does not begin with https" in started(insecure, "--execute").stderr
    assert started("{}").returncode == 1
