"""The driver of search commands: the conversation splunkd holds, in a real process and in this one.

The expected bytes are those of recordings of splunkd 8.2.1 (see lab/chunked.py); settings:
https://docs.splunk.com/Documentation/Splunk/latest/Admin/Commandsconf
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_commands import write_app

from lab.chunked import decode_chunk
from lab.conf import load_app
from lab.errors import LabError
from lab.kvstore import KVStore
from lab.protocol import CommandRunner, SearchInfo
from lab.splunkd import Splunkd

INFO = SearchInfo("1700000000.7", 'search index=x | double x="1"', 1_699_990_000.0, 1_700_000_000.5, owner="ann")


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("apps"))


def interpreter(version: str) -> str | None:
    """A Python of that version, if this machine has one."""
    candidates = [f"python{version}", *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))]
    for candidate in candidates:
        try:
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if done.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture(params=["inprocess", "process-3.9", "process-3.13"])
def runner(request: pytest.FixtureRequest, app_dir: Path, tmp_path: Path) -> CommandRunner:
    mode, _, version = request.param.partition("-")
    python = interpreter(version) if version else None
    if version and python is None:
        pytest.skip(f"no Python {version} on this machine")
    return CommandRunner(load_app(app_dir), mode=mode, python=python, dispatch_dir=tmp_path / "dispatch")


def people(count: int) -> list[dict[str, Any]]:
    return [{"age": n, "name": f"n{n}", "score": n / 4} for n in range(count)]


def test_required_fields_only_and_the_answer_is_merged(runner: CommandRunner) -> None:
    seen: list[tuple[bytes, bytes]] = []
    runner.on_exchange = lambda sent, received: seen.append((sent, received))
    rows = runner.run("double", [], people(3), INFO)
    assert rows == [
        {"age": 0, "name": "n0", "score": 0.0, "doubled": "0"},
        {"age": 1, "name": "n1", "score": 0.25, "doubled": "2"},
        {"age": 2, "name": "n2", "score": 0.5, "doubled": "4"},
    ]
    assert seen[1][0] == (
        b'chunked 1.0,37,68\n{"action":"execute","finished":false}age,"_chunked_idx","__mv_age","__mv__chunked_idx"\n'
        b"0,0,,\n1,1,,\n2,2,,\n"
    )
    assert seen[2][0] == (
        b'chunked 1.0,36,50\n{"action":"execute","finished":true}age,"_chunked_idx","__mv_age","__mv__chunked_idx"\n'
    )
    assert json.loads(seen[2][1].split(b"\n", 1)[1]) == {"finished": True}


def test_getinfo_is_complete(runner: CommandRunner, tmp_path: Path) -> None:
    seen: list[bytes] = []
    runner.splunkd_uri, runner.session_key = "http://127.0.0.1:9", "key"
    runner.on_exchange = lambda sent, received: seen.append(sent)
    info = SearchInfo("1.2", 'a "b" | c', owner="ann", raw_args=['to="2"'])
    runner.run("count", ["to=2"], None, info)
    metadata = decode_chunk(seen[0]).metadata
    assert metadata == {
        "action": "getinfo",
        "preview": False,
        "streaming_command_will_restart": False,
        "searchinfo": {
            "args": ["to=2"], "raw_args": ['to="2"'], "dispatch_dir": str(tmp_path / "dispatch" / "1.2"), "sid": "1.2",
            "app": "lab_test_app", "owner": "ann", "username": "ann", "session_key": "key",
            "splunkd_uri": "http://127.0.0.1:9", "splunk_version": "9.4.3", "search": "a%20%22b%22%20%7C%20c",
            "command": "count", "maxresultrows": 50000, "earliest_time": "0", "latest_time": "0",
        },
    }  # fmt: skip


def test_all_fields_without_required_fields(runner: CommandRunner) -> None:
    rows: list[dict[str, Any]] = [{"a": 'x,"y"\nz', "b": 1}, {"c": "ü", "b": ["1", "2;$"]}, {}]
    assert runner.run("echo", [], rows, INFO) == rows


def test_generating_with_options(runner: CommandRunner) -> None:
    rows = runner.run("count", ["to=2"], None, INFO)
    assert rows == [{"n": str(n), "app": "lab_test_app", "latest": "1700000000.5"} for n in range(2)]
    assert runner.run("count", ["to=0"], None, INFO) == []
    assert len(runner.run("count", ["to=120001"], None, INFO)) == 120_001, "asked again until it says finished"


@pytest.mark.parametrize("header_only", [False, True])
def test_stateful_over_chunks(runner: CommandRunner, header_only: bool) -> None:
    runner.chunk_rows, runner.header_only_chunks, runner.extra_starts = 4, header_only, 1
    rows = runner.run("accumulate", [], people(10), INFO)
    assert [int(row["total"]) for row in rows] == [0, 1, 3, 6, 10, 15, 21, 28, 36, 45]
    assert [row["name"] for row in rows] == [f"n{n}" for n in range(10)]


def test_no_rows(runner: CommandRunner) -> None:
    seen: list[bytes] = []
    runner.on_exchange = lambda sent, received: seen.append(sent)
    assert runner.run("accumulate", [], [], INFO) == []
    assert runner.run("echo", [], [], INFO) == []
    assert [decode_chunk(sent).metadata.get("finished") for sent in seen] == [None, True, None, True]


def test_multivalues_there_and_back(runner: CommandRunner) -> None:
    rows = [{"tags": ["a", "b$"], "x": 1}, {"tags": "solo", "x": 2}]
    assert runner.run("tags", [], rows, INFO) == [
        {"tags": ["a$;", "b$$;"], "kind": "list", "x": 1},
        {"tags": "solo$;", "kind": "list", "x": 2},
    ]


def test_fifty_thousand_rows_in_a_chunk(runner: CommandRunner) -> None:
    rows = runner.run("double", [], people(50_001), INFO)
    assert len(rows) == 50_001
    assert rows[-1] == {"age": 50_000, "name": "n50000", "score": 12500.0, "doubled": "100000"}
    if runner.mode == "process" and os.path.exists("/proc/self/status"):
        assert runner.statistics.peak_rss is not None
        assert 10e6 < runner.statistics.peak_rss < 400e6
    assert runner.statistics.rows == 50_001


def test_events_commands_replace_the_rows(runner: CommandRunner) -> None:
    runner.chunk_rows = 2
    assert runner.run("largest", [], people(5), INFO) == [{"age": "4", "name": "n4", "score": "1"}]


def test_what_a_command_says_is_kept(runner: CommandRunner) -> None:
    runner.run("warn", [], [], INFO)
    assert runner.messages == [("warn", "WARN", "something is odd")]


@pytest.mark.parametrize(
    ("command", "args", "message"),
    [
        ("drop", [], "answered 4 rows for 5"),
        ("forget", [], "no _chunked_idx, by which splunkd merges"),
        ("fail", [], "no threes, please"),
        ("echo", ["colour=red"], "Unrecognized option: colour=red"),
        ("count", ["to=1"], "is generating: it goes first"),
        ("nothing", [], "no command 'nothing'. Known: accumulate, count"),
    ],
)
def test_faults_are_errors(runner: CommandRunner, command: str, args: list[str], message: str) -> None:
    with pytest.raises(LabError, match=message) as caught:
        runner.run(command, args, people(5), INFO)
    assert "default/commands.conf" in str(caught.value)


def test_a_streaming_command_cannot_generate(runner: CommandRunner) -> None:
    with pytest.raises(LabError, match=r"is not generating: it needs rows"):
        runner.run("echo", [], None, INFO)


def test_a_process_that_dies_is_reported_with_exit_code_and_stderr(app_dir: Path, tmp_path: Path) -> None:
    runner = CommandRunner(load_app(app_dir), mode="process", dispatch_dir=tmp_path)
    with pytest.raises(LabError, match=r"ended without an answer\. \(exit code 7; stderr: on my way out\)"):
        runner.run("quit", [], people(1), INFO)


def test_previews_are_skipped_unless_asked_for(runner: CommandRunner) -> None:
    rows = people(2)
    assert runner.run("double", [], rows, SearchInfo("1", "", preview=True)) == rows


def test_a_command_reaches_the_kv_store(runner: CommandRunner) -> None:
    kv = KVStore(runner.app)
    with Splunkd(runner.app, kv) as splunkd:
        runner.splunkd_uri, runner.session_key = splunkd.uri, splunkd.session_key
        runner.run("remember", [], people(3), INFO)
        assert [d["_key"] for d in kv.collection("cba_history").find()] == ["0", "1", "2"]
        splunkd.fail("batch_save", 503, nth=2)
        with pytest.raises(LabError, match=r"HTTP 503"):
            runner.run("remember", [], people(3), INFO)
        runner.session_key = "wrong"
        with pytest.raises(LabError, match=r"not logged in|401"):
            runner.run("remember", [], people(3), INFO)
    kv.close()


CASES: list[tuple[str, list[str], list[dict[str, Any]] | None]] = [
    ("double", [], people(7)),
    ("echo", [], [{"a": "ü", "b": ["x", "y"]}, {"c": 1.5}]),
    ("accumulate", [], people(7)),
    ("tags", [], [{"tags": ["a", "b"]}, {"tags": "c"}]),
    ("count", ["to=5"], None),
    ("largest", [], people(7)),
    ("warn", [], people(7)),
    ("double", [], []),
]


@pytest.mark.parametrize(("command", "args", "rows"), CASES)
def test_in_process_and_process_exchange_the_same_bytes(
    app_dir: Path, tmp_path: Path, command: str, args: list[str], rows: list[dict[str, Any]] | None
) -> None:
    """The fast path is the same conversation: byte for byte, both ways."""
    transcripts, answers = [], []
    for mode in ("inprocess", "process"):
        log: list[tuple[bytes, bytes]] = []
        runner = CommandRunner(
            load_app(app_dir), mode=mode, dispatch_dir=tmp_path, chunk_rows=3, header_only_chunks=True,
            on_exchange=lambda sent, received, log=log: log.append((sent, received)),  # type: ignore[misc]
        )  # fmt: skip
        answers.append(runner.run(command, args, rows, INFO))
        transcripts.append(log)
    assert transcripts[0] == transcripts[1]
    assert answers[0] == answers[1]
    assert len(transcripts[0]) >= 2


@pytest.fixture
def odd_app(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "default").mkdir()
    (tmp_path / "bin").mkdir()
    yield tmp_path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("filename = x.py\nchunked = false\npython.required = 3.9", "protocol v2 only"),
        ("chunked = true\npython.required = 3.9\nfilename = none.py", "bin/none.py is not a Python file"),
        ("chunked = true\nfilename = x.py", "python.required is not set"),
        ("chunked = true\nfilename = x.py\npython.required = 3.9\nstreaming = true", "'streaming' is not a setting"),
        ("chunked = true\nfilename = x.py\npython.required = 3.9\nis_risky = maybe", "is not a boolean"),
    ],
)
def test_commands_conf_is_read_strictly(odd_app: Path, settings: str, message: str) -> None:
    (odd_app / "bin" / "x.py").write_text("")
    (odd_app / "default" / "commands.conf").write_text(f"[x]\n{settings}\n")
    with pytest.raises(LabError, match=message) as caught:
        CommandRunner(load_app(odd_app))
    assert "commands.conf [x]" in str(caught.value)


TALK = """
import sys
def answer(text): sys.stdout.write(text); sys.stdout.flush()
def hear():
    meta, body = map(int, sys.stdin.readline().split(",")[1:])
    return sys.stdin.read(meta + body)
hear()
answer('chunked 1.0,20,0\\n{"type":"streaming"}')
hear()
"""

BREAKERS = {
    "prints": ("answer('hello\\n')", "not a chunk header: b'hello"),
    "short": ("answer('chunked 1.0,10,0\\n{}')", "ends after 2 of 10 bytes"),
    "nonsense": ("answer('chunked 1.0,3,0\\n{x}')", "metadata is not JSON"),
    "ragged": ("answer('chunked 1.0,2,10\\n{}a,b\\n1,2,3\\n')", "has 3 cells under 2 columns"),
    "early": ("answer('chunked 1.0,17,4\\n{\"finished\":true}a\\n1\\n'); sys.exit()", "ended without an answer|closed"),
    "chatty": (
        "answer('chunked 1.0,2,4\\n{}a\\n1\\n'); hear(); answer('chunked 1.0,2,0\\n{}' * 2)",
        "18 bytes too many",
    ),
    "sulks": (
        "answer('chunked 1.0,2,4\\n{}a\\n1\\n'); hear(); answer('chunked 1.0,2,0\\n{}'); sys.exit(3)",
        "exit code 3",
    ),
    "late": (
        "answer('chunked 1.0,2,4\\n{}a\\n1\\n'); hear(); answer('chunked 1.0,2,4\\n{}a\\n1\\n')",
        "1 rows for a chunk without rows",
    ),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_breaking_the_protocol_is_an_error(odd_app: Path, name: str) -> None:
    code, message = BREAKERS[name]
    (odd_app / "bin" / "x.py").write_text(f"{TALK}\n{code}\n")
    (odd_app / "default" / "commands.conf").write_text("[x]\nchunked = true\nfilename = x.py\npython.required = 3.9\n")
    runner = CommandRunner(load_app(odd_app), mode="process", dispatch_dir=odd_app / "dispatch", timeout=20)
    with pytest.raises(LabError, match=message):
        runner.run("x", [], [{"a": 1}], INFO)
