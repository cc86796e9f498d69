"""Where a replay and the demo will write is looked at before they begin, and made where it is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import demo.__main__ as demo
from lab import replay

EVENT = {"eventTime": "2026-01-02T10:00:00Z", "eventName": "ListBuckets", "eventSource": "s3.amazonaws.com"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log.jsonl").write_text(json.dumps(EVENT))
    return tmp_path / "log.jsonl"


@pytest.fixture(autouse=True)
def _nothing_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_arguments: object) -> int:
        raise AssertionError("the work began before the places were looked at")

    monkeypatch.setattr(replay, "_run", run)
    monkeypatch.setattr(demo, "_run", run)


@pytest.mark.parametrize("option", ["--out", "--state"])
def test_folders_are_made_before_a_replay(option: str, log: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        replay.main(["--source", "aws", str(log), option, str(tmp_path / "new" / "folder" / "x")])
    assert (tmp_path / "new" / "folder").is_dir()
    assert not (tmp_path / "new" / "folder" / "x").is_file(), "nothing is there before there is something to write"


@pytest.mark.parametrize(
    ("option", "place", "said"),
    [
        ("--out", "log.jsonl/x", "log.jsonl: is a file, and a folder is needed"),
        ("--out", ".", "is a folder; name a file in it"),
        ("--out", "x" * 300, "cannot be written (File name too long); name another place"),
        ("--state", "log.jsonl", "log.jsonl: is a file, and a folder is needed"),
        ("--state", "log.jsonl/x/y", "log.jsonl/x/y: cannot be written (Not a directory)"),
        ("--state", ".", "is not empty and not the state of a demo or replay"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_first(
    option: str, place: str, said: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main(["--source", "aws", str(log), option, str(tmp_path / place)]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--write", "--state"])
def test_the_demo_says_so_too(option: str, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main([option, str(log)]) == 1
    assert "log.jsonl: is a file, and a folder is needed" in capsys.readouterr().err


def test_a_result_of_before_is_replaced_only_at_the_end(log: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("the last result")
    with pytest.raises(AssertionError):
        replay.main(["--source", "aws", str(log), "--out", str(tmp_path / "out.jsonl")])
    assert (tmp_path / "out.jsonl").read_text() == "the last result"
