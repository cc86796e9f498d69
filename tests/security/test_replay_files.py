"""Log files as somebody may hand them to `./dev replay`: every one ends in events and in sentences, soon."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import ingest
from lab.ingest import SOURCES, Problem, read_events
from lab.logtime import PLAUSIBLE, parse_time
from lab.replay import main
from tests.security import examples

CORPUS = sorted((Path(__file__).parent / "corpus" / "logs").iterdir())
SOON = 20.0
EVENT = {
    "aws": {"eventTime": "2026-01-02T10:00:00Z", "eventName": "a"},
    "azure": {"time": "2026-01-02T10:00:00Z"},
    "gcp": {"timestamp": "2026-01-02T10:00:00Z"},
    "kubernetes": {"requestReceivedTimestamp": "2026-01-02T10:00:00Z"},
    "m365": {"CreationTime": "2026-01-02T10:00:00"},
    "gws": {"id": {"time": "2026-01-02T10:00:00Z"}},
    "endpoint": {"UtcTime": "2026-01-02 10:00:00.000"},
}
TIMES: list[Any] = [
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:61Z", "٢٠٢٦-01-01T00:00:00Z",
    "2026-01-01T00:00:00+99:99", "2026-01-01 00:00:00." + "9" * 5000, "9" * 10, "9" * 13, "0" * 10, 0, -1, 1e308, -1e308,
    10**400, -(10**400), 1e17, 2**63, True, None, [], {}, "", "x" * 100_000,
]  # fmt: skip


def test_there_is_an_event_of_every_source() -> None:
    assert set(EVENT) == set(SOURCES)


def read(file: Path, source: str = "aws") -> tuple[int, list[Problem]]:
    problems: list[Problem] = []
    started = time.monotonic()
    count = sum(
        PLAUSIBLE[0] <= event.time < PLAUSIBLE[1] for event in read_events(source, [file], on_problem=problems.append)
    )
    assert time.monotonic() - started < SOON
    assert all(len(str(problem)) < 2000 for problem in problems)
    return count, problems


def with_time(value: Any, event: Any, good: str) -> Any:
    return {
        k: with_time(value, v, good) if isinstance(v, dict) else value if "ime" in k else v for k, v in event.items()
    }


@pytest.mark.parametrize("source", sorted(EVENT))
def test_times_that_no_cloud_log_can_have_are_told_and_passed_over(source: str, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    lines = [json.dumps(with_time(value, EVENT[source], "")) for value in TIMES]
    file.write_text("\n".join([*lines, json.dumps(EVENT[source])]), encoding="utf-8")
    count, problems = read(file, source)
    assert count >= 1 and count + len(problems) == len(TIMES) + 1
    assert any("event time not between 2000 and 2100: " in str(problem) for problem in problems)


@given(st.one_of(st.integers(), st.floats(), st.text(max_size=40), st.none(), st.booleans(), st.sampled_from(TIMES)))
@examples(500)
def test_any_value_is_a_time_or_none(value: Any) -> None:
    found = parse_time(value)
    assert found is None or abs(found) <= 1e17


@pytest.mark.parametrize("year", ["0001", "1970", "9999"])
def test_a_replay_with_a_stray_year_ends_soon(year: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({**EVENT["aws"], "eventTime": f"{year}-01-01T00:00:00Z"}) + "\n", encoding="utf-8")
    assert main(["--source", "aws", str(file)]) == 1
    said = capsys.readouterr().err
    assert "skipped: " in said and "event time not between 2000 and 2100" in said and "nothing to replay" in said


def deep(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


GOOD = json.dumps(EVENT["aws"])
FILES = {
    "deep lines.jsonl": f'{GOOD[:-1]},"deep":{deep(100_000)}}}\n{GOOD}'.encode(),
    "deep whole.json": f'{{\n"Records": [{GOOD}, {deep(100_000)}]}}'.encode(),
    "deep whole less.json": f'{{\n"Records": [{GOOD}, {deep(900)}]}}'.encode(),
    "lists.json": ("[" * 950 + GOOD + "]" * 950).encode(),
    "lists lines.jsonl": ("[" * 1000 + GOOD + "]" * 1000 + "\n" + GOOD).encode(),
    "broken.json": (b"{\n" + b'{"a"\n' * 60_000),
    "brackets.json": b"[\n" * 200_000,
    "quotes.json": b'{"a":"' * 100_000,
    "one line.jsonl": b"x" * 5_000_000,
    "numbers.jsonl": (GOOD[:-1] + ',"n":' + "9" * 100_000 + "}").encode(),
    "utf16.json": GOOD.encode("utf-16"),
    "zeros.jsonl": b"\0" * 1_000_000,
    "bomb.jsonl.gz": gzip.compress(b"x" * 200_000_000),
    "bomb lines.jsonl.gz": gzip.compress(b"\n" * 20_000_000 + GOOD.encode()),
    "cut.jsonl.gz": gzip.compress((GOOD + "\n").encode() * 5000)[:-40],
}


@pytest.mark.parametrize("name", FILES)
def test_files_without_measure(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "LINE_BYTES", 16 << 20)
    file = tmp_path / name
    file.write_bytes(FILES[name])
    read(file)


@pytest.mark.parametrize("file", CORPUS, ids=lambda path: path.name)
def test_the_corpus(file: Path) -> None:
    for source in SOURCES:
        read(file, source)


PIECES = [b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\n", b"\r\n", b"\xff", b"\xef\xbb\xbf", b"\0", b"\\ud800", b"null", b"1e999",
          b"NaN", b'{"Records":[', b'"eventTime":"2026-01-02T10:00:00Z"', GOOD.encode(), b'{"message":"{', b"\x1f\x8b",
          b"<Event ", b"</Event>", b"LogName=", b"Message=", b"AuditData,", b"\xff\xfe"]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    st.sampled_from(sorted(SOURCES)),
    st.booleans(),
    st.booleans(),
)
@examples(300)
def test_any_bytes(tmp_path: Path, data: bytes, source: str, by_line: bool, zipped: bool) -> None:
    file = tmp_path / ("x.jsonl" if by_line else "x.json")
    file.write_bytes(gzip.compress(data)[: len(data) + 15] if zipped else data)
    read(file, source)
