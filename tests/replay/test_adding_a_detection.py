"""docs/adding-a-detection.md, done word for word in a copy of the repository."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead

NAME = "aws_console_first_login"
APP = ("app.manifest", "bin", "default", "detections", "lookups", "metadata", "package")
TESTS = ("lab", "tests", "pyproject.toml")
DAY = 86_400


def follow_the_page(copy: Path, copied: Sequence[str]) -> None:
    """Copies the repository, puts the page's two files into it and runs the first half of its command."""
    copy.mkdir()
    for name in copied:
        source = APP_DIR / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    (copy / "lib").symlink_to(APP_DIR / "lib")
    page = (APP_DIR / "docs" / "adding-a-detection.md").read_text("utf-8")
    detection, scenarios = re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (copy / "detections" / f"{NAME}.yml").write_text(detection, "utf-8")
    (copy / "tests" / "scenarios").mkdir(parents=True, exist_ok=True)
    (copy / "tests" / "scenarios" / f"{NAME}.yml").write_text(scenarios, "utf-8")
    subprocess.run([sys.executable, str(copy / "package" / "generate.py")], check=True, cwd=copy)


def sign_in(day: int, user: str) -> Event:
    account = "111111111111"
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "accountId": account, "userName": user}
    log = {
        "eventVersion": "1.08", "userIdentity": who, "eventTime": f"2026-01-{day + 1:02}T12:00:00Z",
        "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": "us-east-1",
        "sourceIPAddress": "84.80.124.7", "responseElements": {"ConsoleLogin": "Success"},
        "eventID": f"{user}-{day}", "recipientAccountId": account,
    }  # fmt: skip
    time = 1_767_268_800 + day * DAY
    return Event(time, time, "main", "aws:cloudtrail", "test", "test", json.dumps(log))


def test_the_page_leads_to_a_detection_that_works(tmp_path: Path) -> None:
    """The second half: what the tests of all detections say of the new one."""
    follow_the_page(tmp_path / "app", (*APP, *TESTS))
    pytest = [sys.executable, "-m", "pytest", "-k", NAME, "tests/scenarios", "tests/unit/test_invariance.py"]
    done = subprocess.run(pytest, cwd=tmp_path / "app", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_raises_from_raw_logs(tmp_path: Path) -> None:
    follow_the_page(tmp_path / "app", APP)
    # In processes of their own: this one has the shipped detections loaded already.
    with SearchHead(tmp_path / "app", tmp_path / "state", mode="process") as head:
        head.events.add([*(sign_in(day, "ada") for day in range(24)), sign_in(24, "eve")])
        findings = replay(head, "1d", enable=[f"CBA - {NAME} - Detect"])
    assert [(f["variation"], f["identity"], f["first_time"]) for f in findings] == [
        ("1", "arn:aws:iam::111111111111:user/eve", "2026-01-25T12:00:00Z")
    ]
