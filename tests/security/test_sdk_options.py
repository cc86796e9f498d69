"""Nothing of splunk-sdk's own options is left in any command: no code, no file and no archive comes of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from inspect import getmembers
from pathlib import Path
from typing import Iterator

import pytest
from splunklib.searchcommands import Option
from splunklib.searchcommands.search_command import SearchCommand

from cba.command.base import AppCommand
from cba.command.sdk import REFUSED_OPTIONS
from lab.errors import LabError
from lab.replay import APP_DIR
from tests.security.commands import COMMANDS, kind_of, needed
from tests.support.splunk_home import app_log
from tests.support.workbench import Workbench

SDK_OPTIONS = sorted(name for name, _option in getmembers(SearchCommand, lambda member: isinstance(member, Option)))
ENTRY_FILES = sorted((APP_DIR / "bin").glob("*.py"))
EVIL = """\
[loggers]
keys=root
[handlers]
keys=h
[formatters]
keys=
[logger_root]
level=INFO
handlers=h
[handler_h]
class=StreamHandler
args=(open({made!r}, 'w'),)
"""


def evil(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """A logging configuration as a CSV file that outputlookup may write, and the file that there is once it was read."""
    configuration, made = tmp_path / name, tmp_path / "made.txt"
    configuration.write_text(EVIL.format(made=str(made)), encoding="utf-8")
    return configuration, made


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with app_log(tmp_path, monkeypatch) as log:
        yield log


def test_the_options_of_the_sdk_are_those_that_are_refused() -> None:
    assert tuple(SDK_OPTIONS) == REFUSED_OPTIONS, "a new version of the SDK has other options: refuse them too"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_has_an_option_of_the_sdk(command: str) -> None:
    kind = kind_of(command)
    assert issubclass(kind, AppCommand)
    assert not {name for name, _option in kind.option_definitions} & set(SDK_OPTIONS)


@pytest.mark.parametrize("option", SDK_OPTIONS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_every_option_of_the_sdk_and_logs_it(
    command: str, option: str, tmp_path: Path, log: Path
) -> None:
    configuration, made = evil(tmp_path, "evil.csv")
    value = str(configuration) if option == "logging_configuration" else "true"
    spellings = [f"{option}={value}", f"{option}=", f"{option}={value}=x"]
    with Workbench(tmp_path) as bench:
        for spelling in spellings:
            for args in ([*needed(command), spelling], [spelling, *needed(command)]):
                with pytest.raises(LabError, match=f"{command}: {option} is refused: .*The attempt is logged"):
                    bench.runner.run(command, args, None, bench.info(command))
        for spelling in (f"{option.upper()}={value}", f" {option}={value}", f'"{option}"={value}'):
            with pytest.raises(LabError, match=r"is refused|Unrecognized option"):
                bench.runner.run(command, [*needed(command), spelling], None, bench.info(command))
    assert not made.exists()
    assert not (tmp_path / "splunk" / "var" / "run").exists(), "a recording"
    lines = [line for line in log.read_text("utf-8").splitlines() if "level=WARNING" in line]
    assert len(lines) >= 2 * len(spellings)
    assert all(f'command={command} sid=1.1 user="admin" refused="' in line for line in lines)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_code_of_a_file_runs_in_the_process_of_a_command(command: str, tmp_path: Path) -> None:
    configuration, made = evil(tmp_path, "evil.csv")
    with Workbench(tmp_path, sys.executable) as bench:
        complaint = bench.complaint(command, *needed(command), f"logging_configuration={configuration}", rows=None)
    assert "logging_configuration is refused" in complaint
    assert "Traceback" not in complaint
    assert not made.exists()


@pytest.mark.parametrize(
    ("first", "runs"), [("import splunklib.searchcommands", True), ("import cba.command.sdk", False)]
)
@pytest.mark.parametrize("name", ["logging.conf", "splunklib.logging.conf", "ProbeCommand.logging.conf"])
def test_a_configuration_in_local_is_not_read(name: str, first: str, runs: bool, tmp_path: Path) -> None:
    """Who may write confs of the app, but is no administrator of the machine, can make local/logging.conf by REST. The
    SDK by itself reads it, which shows that the test would notice."""
    app = tmp_path / "app"
    for folder in ("bin", "local"):
        (app / folder).mkdir(parents=True)
    _configuration, made = evil(app / "local", name)
    probe = app / "bin" / "probe.py"
    probe.write_text(
        f"import sys\nsys.path[:0] = [{str(APP_DIR / 'bin')!r}, {str(APP_DIR / 'lib')!r}]\n{first}\n"
        "from splunklib.searchcommands import Configuration, StreamingCommand\n"
        "@Configuration()\nclass ProbeCommand(StreamingCommand):\n    def stream(self, records): ...\n"
        "ProbeCommand().options.reset()\n",
        encoding="utf-8",
    )
    subprocess.run([sys.executable, str(probe)], check=True, capture_output=True, timeout=60)
    assert made.exists() is runs


@pytest.mark.parametrize("file", ENTRY_FILES, ids=lambda path: path.name)
def test_commands_come_to_the_sdk_through_its_one_door(file: Path) -> None:
    """Imported any other way, first, the SDK reads configurations."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not any(name.startswith("splunklib.searchcommands") for name in names), file.name


def test_the_older_protocol_with_its_own_parser_is_not_spoken() -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit, match="protocol 2 only"):
            kind_of(command)().process([f"{command}.py", "__EXECUTE__", "record=true"], None, None)


def test_a_fault_of_the_app_is_a_sentence_and_its_traceback_goes_to_the_log(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cba.command.base.read_tables", lambda body, _most: {}[body])
    with Workbench(tmp_path) as bench:
        complaint = bench.complaint("cbageo", rows=[{"src_ip": "1.1.1.1"}])
    assert "cbageo: stopped by a fault of the app itself (KeyError); index=_internal" in complaint
    assert ".py" not in complaint
    assert "Traceback" in log.read_text("utf-8")


def test_no_text_of_a_search_makes_lines_or_fields_of_its_own_in_the_log(tmp_path: Path, log: Path) -> None:
    with Workbench(tmp_path) as bench:
        bench.complaint("cbageo", 'record=x"\nlevel=INFO user="somebody else" \ud800', rows=[{"src_ip": "1.1.1.1"}])
    lines = log.read_text("utf-8").splitlines()
    assert all(" level=" in line[:40] and line.count("user=") - line.count("user='") == 1 for line in lines[:1])
    assert len(lines) == 2, "the attempt, and the message of the command"
