"""The unpacked archive (CBA_APP): what it holds, and that it works as splunkd would run it.

`./dev package --check` runs this under each Python that Splunk has, with the lab's other end-to-end tests, which then run
the archive's app too.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from archive import confs, stage

from cba import settings
from lab.events import Event
from lab.replay import APP_DIR, replay
from lab.searchhead import SearchHead

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400
START = 1_767_225_600  # 2026-01-01
ACCOUNT = "111111111111"
LAST_DAY = 16

pytestmark = pytest.mark.skipif(
    not os.environ.get("CBA_APP"), reason="no archive to test: ./dev package --check builds and unpacks one (CBA_APP)"
)


def test_it_holds_what_it_should_and_nothing_else() -> None:
    # check_archive.py has looked before anything ran; by now there may be bytecode.
    assert [fault for fault in stage.unwanted(APP_DIR) if "__pycache__" not in fault] == []
    repository = {name.as_posix() for name in stage.shipped(ROOT)}
    files = (path for path in APP_DIR.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    archive = {path.relative_to(APP_DIR).as_posix() for path in files}
    assert repository - archive == set()
    added = {name for name in archive - repository if not name.startswith(("lib/", "appserver/"))}
    assert added == {"default/data/ui/views/configuration.xml", *({"default/data/ui/nav/default.xml"} - repository)}


def test_lib_has_exactly_the_pinned_packages() -> None:
    pins = re.findall(r"^([\w.-]+)==([\d.]+)$", (ROOT / "package/requirements.txt").read_text("utf-8"), re.MULTILINE)
    found = [re.fullmatch(r"(.+)-([\d.]+)\.dist-info", path.name) for path in (APP_DIR / "lib").glob("*.dist-info")]
    packages = {(m[1].lower().replace("-", "_"), m[2]) for m in found if m is not None}
    assert packages == {(name.lower().replace("-", "_"), version) for name, version in pins}


def test_the_code_under_test_is_the_archives() -> None:
    assert Path(settings.__file__).is_relative_to(APP_DIR)
    import splunklib

    assert Path(splunklib.__file__).is_relative_to(APP_DIR / "lib")


def test_the_configuration_page_is_wired() -> None:
    """Page -> web.conf -> restmap.conf -> handler -> conf, replicated in a search head cluster."""
    conf = settings.CONF
    restmap, web = (confs.read(APP_DIR / "default" / name) for name in ("restmap.conf", "web.conf"))
    handler = restmap[f"admin_external:{conf}"]
    assert (handler["handlerfile"], handler["python.required"]) == (f"{stage.APP}_rh_settings.py", "3.9, 3.13")
    assert (APP_DIR / "bin" / handler["handlerfile"]).is_file()
    assert [members["members"] for name, members in restmap.items() if name.startswith("admin:")] == [conf]
    assert {section["pattern"] for section in web.values()} == {conf, f"{conf}/*", "cba_decide"}
    server = confs.read(APP_DIR / "default" / "server.conf")
    assert server["shclustering"][f"conf_replication_include.{conf}"] == "true"
    app = confs.read(APP_DIR / "default" / "app.conf")
    assert app["triggers"][f"reload.{conf}"] == "simple"
    assert app["install"]["build"] == str(stage.build_number(stage.version(ROOT)))
    page = json.loads((APP_DIR / "appserver/static/js/build/globalConfig.json").read_text("utf-8"))
    tabs = page["pages"]["configuration"]["tabs"]
    assert {tab["name"]: {e["field"] for e in tab["entity"]} for tab in tabs} == {
        stanza: set(keys) for stanza, keys in settings.defaults().items()
    }


def call(who: str, day: int, address: str) -> Event:
    time, arn = START + day * DAY + 12 * 3600, f"arn:aws:iam::{ACCOUNT}:user/{who}"
    log = {
        "eventVersion": "1.08", "eventID": f"{who}{day}", "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-west-1",
        "eventName": "DescribeInstances", "eventTime": "2026-01-01T12:00:00Z", "recipientAccountId": ACCOUNT,
        "sourceIPAddress": address, "userAgent": "aws-cli",
        "userIdentity": {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": who},
    }  # fmt: skip
    return Event(float(time), time + 60.0, "main", "aws:cloudtrail", "trail", "h", json.dumps(log))


def test_a_detection_from_logs_to_a_verdict_in_processes_of_this_python(tmp_path: Path) -> None:
    with SearchHead(APP_DIR, tmp_path, mode="process", python=sys.executable) as head:
        head.events.add(call(who, day, "194.109.6.66") for day in range(LAST_DAY) for who in ("ada", "bob"))
        head.events.add([call("ada", LAST_DAY, "77.88.8.8")])
        (finding,) = replay(head, "1d", enable=["CBA - aws - Judge"])
        assert (finding["identity"], finding["country"]) == (f"arn:aws:iam::{ACCOUNT}:user/ada", "RU")
        (judged,) = head.search(f"| cbaverdict finding={finding['finding_id']} verdict=benign").rows
        assert (judged["status"], judged["value"]) == ("closed", "RU")
        known = head.search(f'| cbahistory entity="{finding["identity"]}" profile=identity_country').rows
        assert {row["value"]: row.get("verdict", "") for row in known} == {"NL": "", "RU": "benign"}
        states = head.search("| cbahealth detection=cloud_unusual_country", latest=START + (LAST_DAY + 1) * DAY).rows
        assert {row["state"] for row in states if row["source"] == "aws"} == {"active"}
