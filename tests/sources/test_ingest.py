"""Files of all kinds into events: what is read, what is reported, what is never lost."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from lab import ingest
from lab.events import Event
from lab.ingest import Problem, read_events
from lab.logtime import parse_time

RECORD = {"eventTime": "2023-07-10T12:00:00Z", "eventID": "1"}


def records(count: int) -> list[dict[str, Any]]:
    """CloudTrail records one minute apart, whose ids do not compress well."""
    noise = random.Random(7)
    return [
        {"eventTime": f"2023-07-10T{n // 60:02}:{n % 60:02}:00Z", "eventID": str(n), "noise": noise.getrandbits(800)}
        for n in range(count)
    ]


def read(path: Path, source: str = "aws", **window: float) -> tuple[list[Event], list[Problem]]:
    problems: list[Problem] = []
    return list(read_events(source, [path], on_problem=problems.append, **window)), problems


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return file


@pytest.fixture(params=["orjson", "json"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(ingest, "orjson", None)
    elif getattr(ingest, "orjson", None) is None:
        pytest.skip("orjson is not installed")


@pytest.mark.usefixtures("_either_parser")
class TestForms:
    three = [{**RECORD, "eventID": str(n), "text": "é"} for n in range(3)]

    @pytest.mark.parametrize("zipped", ["", ".gz"])
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("lines.jsonl", "\n".join(json.dumps(event) for event in three)),
            ("lines.json", "\n".join(json.dumps(event) for event in three) + "\n"),
            ("windows.jsonl", "\r\n".join(json.dumps(event) for event in three) + "\r\n\r\n"),
            ("array.json", json.dumps(three)),
            ("pretty-array.json", json.dumps(three, indent=2)),
            ("records.json", json.dumps({"Records": three})),
            ("pretty-records.json", json.dumps({"Records": three}, indent=1)),
            ("two-files-in-one.json", json.dumps({"Records": three[:2]}) + "\n" + json.dumps({"Records": three[2:]})),
            ("concatenated.json", "".join(json.dumps(event) for event in three)),
            ("concatenated-pretty.json", "\n".join(json.dumps(event, indent=2) for event in three)),
            ("byte-order-mark.json", "\ufeff" + json.dumps(three)),
            ("one.log", "\n".join(json.dumps(event) for event in three)),
        ],
    )
    def test_three_events(self, name: str, text: str, zipped: str, tmp_path: Path) -> None:
        events, problems = read(write(tmp_path, name + zipped, text))
        assert problems == []
        assert [json.loads(event.raw) for event in events] == self.three
        assert {event.sourcetype for event in events} == {"aws:cloudtrail"}
        assert {event.time for event in events} == {event.indextime for event in events} == {1688990400.0}

    def test_bad_lines_do_not_stop_the_file(self, tmp_path: Path) -> None:
        lines = [
            json.dumps(RECORD),
            "{not json",
            "",
            "[1, 2]",
            json.dumps({"eventID": "no time"}),
            "NaN",
            json.dumps(RECORD),
        ]
        events, problems = read(write(tmp_path, "x.jsonl", "\n".join(lines)))
        assert len(events) == 2
        assert [problem.line for problem in problems] == [2, 4, 4, 5, 6]
        assert (
            "not JSON" in problems[0].reason
            and "no event time" in problems[3].reason
            and "eventTime" in problems[3].reason
        )
        assert str(problems[0]).startswith(f"{tmp_path / 'x.jsonl'}:2: not JSON")

    def test_a_first_line_that_is_broken(self, tmp_path: Path) -> None:
        text = "{broken\n" + json.dumps(RECORD) + "\n" + json.dumps(RECORD)
        for name in ("x.jsonl", "x.json"):
            events, problems = read(write(tmp_path, name, text))
            assert (len(events), [problem.line for problem in problems]) == (2, [1])

    def test_a_broken_document_between_others(self, tmp_path: Path) -> None:
        text = json.dumps(RECORD, indent=2) + '\n{\n  "a": oops\n}\n' + json.dumps(RECORD, indent=2)
        events, problems = read(write(tmp_path, "x.json", text))
        assert (len(events), [problem.line for problem in problems]) == (2, [6])

    def test_truncated_gzip_of_lines(self, tmp_path: Path) -> None:
        file = write(tmp_path, "x.jsonl.gz", "\n".join(json.dumps(record) for record in records(2000)))
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        events, problems = read(file)
        assert 900 < len(events) < 1100
        assert [json.loads(event.raw)["eventID"] for event in events] == [str(n) for n in range(len(events))]
        assert "truncated" in problems[0].reason and problems[0].line == len(events) + 1
        assert len(problems) == 2 and "not JSON" in problems[1].reason  # the half line

    @pytest.mark.parametrize("indent", [None, 1])
    def test_truncated_gzip_of_records(self, indent: Any, tmp_path: Path) -> None:
        """The complete records of a CloudTrail file that was cut off are not lost."""
        file = write(tmp_path, "x.json.gz", json.dumps({"Records": records(2000)}, indent=indent))
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        events, problems = read(file)
        assert 900 < len(events) < 1100
        assert [json.loads(event.raw)["eventID"] for event in events] == [str(n) for n in range(len(events))]
        assert [word in str(problem) for word, problem in zip(("truncated", "not JSON"), problems)] == [True, True]


def test_not_gzip_after_all(tmp_path: Path) -> None:
    file = tmp_path / "x.json.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00garbage that is not deflate")
    events, problems = read(file)
    assert events == [] and len(problems) == 1 and "cannot read further" in problems[0].reason


def test_gzip_members_in_a_row(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl.gz"
    line = (json.dumps(RECORD) + "\n").encode()
    file.write_bytes(gzip.compress(line) + gzip.compress(line * 2) + b"\0" * 100)
    events, problems = read(file)
    assert (len(events), problems) == (3, [])


def test_plain_text_named_gz(tmp_path: Path) -> None:
    """What a file is, its first bytes say."""
    file = tmp_path / "x.jsonl.gz"
    file.write_text(json.dumps(RECORD))
    assert len(read(file)[0]) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("indent", [None, 1])
def test_encodings_with_a_byte_order_mark(encoding: str, zipped: bool, indent: Any, tmp_path: Path) -> None:
    """PowerShell's Out-File writes UTF-16."""
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    data = (mark + json.dumps([{**RECORD, "user": "Zoë 🦊"}], indent=indent, ensure_ascii=False)).encode(encoding)
    file = tmp_path / "x.json"
    file.write_bytes(gzip.compress(data) if zipped else data)
    (event,), problems = read(file)
    assert (json.loads(event.raw)["user"], problems) == ("Zoë 🦊", [])


def test_utf_16_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes("\n".join([json.dumps(RECORD)] * 3).encode("utf-16")[:-11])
    events, problems = read(file)
    assert (len(events), [problem.line for problem in problems]) == (2, [3])


def test_folder_in_order_and_missing_paths(tmp_path: Path) -> None:
    for name in ("b/2.json", "a/1.jsonl.gz", "c.ndjson", "notes.txt"):
        write(tmp_path, name, json.dumps({**RECORD, "eventID": name}))
    problems: list[Problem] = []
    paths = [tmp_path, tmp_path / "nowhere.json"]
    events = list(read_events("aws", paths, on_problem=problems.append))
    assert [json.loads(event.raw)["eventID"] for event in events] == ["a/1.jsonl.gz", "b/2.json", "c.ndjson"]
    assert [str(problem) for problem in problems] == [f"{tmp_path / 'nowhere.json'}: no such file or folder"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "in this folder" in read(empty)[1][0].reason


def test_window(tmp_path: Path) -> None:
    file = write(tmp_path, "x.json", json.dumps({"Records": records(10)}))
    start = 1688947200.0
    events, problems = read(file, since=start + 120, until=start + 300)
    assert [event.time - start for event in events] == [120, 180, 240]
    assert problems == []


def test_unknown_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown source 'okta'; choose one of: aws, azure"):
        list(read_events("okta", [tmp_path]))


@pytest.mark.parametrize(
    ("source", "event", "time", "sourcetype"),
    [
        ("aws", {"@timestamp": "2023-07-10T12:00:00.000Z"}, 1688990400, "aws:cloudtrail"),
        ("azure", {"time": "2023-07-10T12:00:00.1234567Z"}, 1688990400.123456, "azure:monitor:activity"),
        ("azure", {"TimeGenerated": "2023-07-10T12:00:00"}, 1688990400, "azure:monitor:activity"),
        ("azure", {"body": {"time": "2023-07-10T12:00:00Z"}}, 1688990400, "azure:monitor:activity"),
        ("gcp", {"timestamp": "2023-07-10T12:00:00.123456789Z"}, 1688990400.123456, "google:gcp:pubsub:message"),
        ("gcp", {"data": {"timestamp": "2023-07-10T14:00:00+02:00"}}, 1688990400, "google:gcp:pubsub:message"),
        (
            "kubernetes",
            {"requestReceivedTimestamp": "2023-07-10T12:00:00.5Z", "stageTimestamp": "2023-07-10T12:00:09Z"},
            1688990400.5,
            "kube:apiserver:audit",
        ),
        (
            "kubernetes",
            {"timestamp": 1, "message": '{"stageTimestamp":"2023-07-10T12:00:00Z"}'},
            1688990400,
            "kube:apiserver:audit",
        ),
        ("kubernetes", {"timestamp": 1688990400000, "message": "{}"}, 1688990400, "kube:apiserver:audit"),
        (
            "kubernetes",
            {"time": "2023-07-10T12:00:00Z", "properties": {"log": '{"verb":"get"}'}},
            1688990400,
            "kube:apiserver:audit",
        ),
        ("m365", {"CreationTime": "2023-07-10T12:00:00"}, 1688990400, "o365:management:activity"),
        (
            "gws",
            {"id": {"time": "2023-07-10T12:00:00.000Z", "applicationName": "login"}},
            1688990400,
            "gws:reports:login",
        ),
        ("gws", {"id": {"time": "2023-07-10T12:00:00.000Z"}}, 1688990400, "gws:reports:activity"),
    ],
)
def test_time_and_sourcetype(source: str, event: dict[str, Any], time: float, sourcetype: str, tmp_path: Path) -> None:
    (found,), problems = read(write(tmp_path, "x.jsonl", json.dumps(event)), source)
    assert (found.time, found.sourcetype, problems) == (time, sourcetype, [])


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("azure", {"records": [{"time": "2023-07-10T12:00:00Z"}]}),
        ("gws", {"kind": "admin#reports#activities", "items": [{"id": {"time": "2023-07-10T12:00:00Z"}}]}),
        ("kubernetes", {"kind": "EventList", "items": [{"stageTimestamp": "2023-07-10T12:00:00Z"}]}),
        ("azure", {"value": [{"createdDateTime": "2023-07-10T12:00:00Z"}]}),
    ],
)
def test_wrappers(source: str, document: dict[str, Any], tmp_path: Path) -> None:
    events, problems = read(write(tmp_path, "x.json", json.dumps(document)), source)
    assert (len(events), problems) == (1, [])


def test_cloudwatch_log_events_keep_their_group(tmp_path: Path) -> None:
    document = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/aws/eks/prod/cluster",
        "logEvents": [{"id": "1", "timestamp": 1688990400000, "message": "{}"}],
    }
    (event,), _ = read(write(tmp_path, "x.json", json.dumps(document)), "kubernetes")
    assert json.loads(event.raw) == {"logGroup": "/aws/eks/prod/cluster", **document["logEvents"][0]}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2023-02-30T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T25:00:00Z", True, None, [], "<null>"],
)
def test_no_time(value: object) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("7/10/2023 12:00:00 PM", "2023-07-10T12:00:00Z"),
        ("07/10/2023 12:00:00 AM", "2023-07-10T00:00:00Z"),
        ("7/10/2023, 1:02:03.5 pm", "2023-07-10T13:02:03.5Z"),
        ("12/31/2023 11:59:59\u202fPM", "2023-12-31T23:59:59Z"),  # as newer versions of .NET and of browsers write it
    ],
)
def test_times_as_in_the_us(text: str, iso: str) -> None:
    assert parse_time(text) == parse_time(iso) is not None


@pytest.mark.parametrize(
    "text",
    ["13/1/2023 1:00:00 PM", "2/30/2023 1:00:00 PM", "1/2/2023 13:00:00 PM", "1/2/2023 0:00:00 AM", "1/2/2023 1:00:00"],
)
def test_no_times_of_the_us(text: str) -> None:
    """Also without AM or PM: elsewhere the day comes first."""
    assert parse_time(text) is None


def test_time_zones() -> None:
    assert parse_time("2023-07-10T12:00:00-0530") == parse_time("2023-07-10T17:30:00Z") == 1689010200
