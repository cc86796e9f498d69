"""Each command beside the SDK echo: the same rows, the same required fields, as many fields added."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence

from bench.arithmetic import Summary, pairwise
from bench.driver import CommandFailed, Measurement, Splunkd, encode, required_fields, run
from lab.chunked import Row
from lab.protocol import SearchInfo
from lab.replay import APP_DIR
from lab.searchhead import SearchHead

__all__ = ["Case", "CommandFailed", "Result", "cases", "measure", "recorded_rows"]

DETECTION = "cloud_unusual_country"
ECHO = Path(__file__).with_name("echo.py")
SOURCE = "aws"
ROWS_SEARCH = f"CBA - {SOURCE} - Rows"
WRITTEN = ("cba_history", "cba_sources", "cba_findings", "cba_homes", "cba_signals", "cba_breakers", "cba_faults")
"""What cbajudge writes."""


@dataclass(frozen=True)
class Case:
    """A command, its arguments, the rows it gets, and the fields whose different values are counted."""

    name: str
    command: str
    args: tuple[str, ...]
    rows: Sequence[Row]
    distinct: tuple[str, ...]
    collections: tuple[str, ...] = ()
    """KV store collections that are emptied before every run: it meets an empty store and fills it."""
    past: Sequence[Row] = ()
    """Rows that it has been given before every run, and has learned."""
    aim: Optional[float] = None
    """The least ratio to the echo."""

    @property
    def script(self) -> Path:
        return APP_DIR / "bin" / f"{self.command}.py"


@dataclass(frozen=True)
class Result:
    """The measurements of a command and of its echo, pair by pair."""

    case: Case
    ours: list[Measurement]
    echo: list[Measurement]
    bytes_per_row: float

    @property
    def speed(self) -> Summary:
        return Summary.of([one.rows_per_second for one in self.ours])

    @property
    def echo_speed(self) -> Summary:
        return Summary.of([one.rows_per_second for one in self.echo])

    @property
    def ratio(self) -> Summary:
        return pairwise([m.rows_per_second for m in self.ours], [m.rows_per_second for m in self.echo])

    @property
    def distinct(self) -> dict[str, int]:
        """Different values of the fields that make rows alike."""
        return {name: len({str(row.get(name)) for row in self.case.rows}) for name in self.case.distinct}


def cases(rows: Mapping[str, Sequence[Row]]) -> list[Case]:
    """The commands with the rows of `recorded_rows` and of `fleet.rows`."""
    detection, judge = (f"detection={DETECTION}",), (f"source={SOURCE}",)
    endpoint = ("source=endpoint",)
    reduced = rows["reduced"]
    split = len(reduced) * 2 // 3
    return [
        Case("cbageo", "cbageo", ("ip=src_ip",), rows["cbageo"], ("src_ip",), aim=1.5),
        Case("cbajudge, empty histories", "cbajudge", judge, reduced, ("identity", "country"), WRITTEN, aim=0.3),
        Case(
            "cbajudge, the last ten days among what the twenty before have taught", "cbajudge", judge, reduced[split:],
            ("identity", "country"), WRITTEN, reduced[:split], aim=0.7,
        ),
        Case(
            "cbajudge, the same ten days when they are learned already", "cbajudge", judge, reduced[split:],
            ("identity", "country"), WRITTEN, reduced, aim=0.7,
        ),
        Case(
            "cbaresource, names of events", "cbaresource", ("fqdn=cba_place",), rows["names"], ("cba_place",), aim=1.5,
        ),
        Case(
            "cbajudge, endpoints, popular resources", "cbajudge", endpoint, rows["popular"], ("host", "resource"),
            WRITTEN, aim=0.3,
        ),
        Case(
            "cbajudge, endpoints, rare resources", "cbajudge", endpoint, rows["rare"], ("host", "resource"), WRITTEN,
            aim=0.3,
        ),
        Case("cbabaseline, by hand", "cbabaseline", detection, reduced, ("identity", "country")),
        Case("cbascore, by hand", "cbascore", detection, rows["evidence"], ("identity", "country", "evidence")),
    ]  # fmt: skip


def recorded_rows(head: SearchHead, most: int) -> dict[str, list[Row]]:
    """The rows each command gets when the source's search runs over all events of the head at once: what `cbageo` gets,
    the `reduced` rows that are judged or looked up, and those with `evidence`."""
    recorded: dict[str, list[Row]] = {}
    original = head.commands.run

    def recording(command: str, args: Sequence[str], rows: Sequence[Row], info: SearchInfo) -> list[Row]:
        recorded[command] = list(rows)[:most]
        return original(command, args, rows, info)

    setattr(head.commands, "run", recording)  # noqa: B010 (a method of this one object)
    try:
        reduced = head.search(head.app.stanzas("savedsearches")[ROWS_SEARCH].settings["search"]).rows[:most]
        evidence = head.commands.run(
            "cbabaseline", [f"detection={DETECTION}"], reduced, SearchInfo("1.1", "| cbabaseline")
        )
    finally:
        setattr(head.commands, "run", original)  # noqa: B010
    return {"cbageo": recorded["cbageo"], "reduced": reduced, "evidence": evidence}


def measure(case: Case, head: SearchHead, repetitions: int, home: Path, told: Callable[[str], None]) -> Result:
    """Runs command and echo in turn, `repetitions` times; which goes first alternates."""
    splunkd = Splunkd(head.splunkd.uri, head.splunkd.session_key)
    needed = required_fields(case.script, case.args, splunkd, home)
    chunks, past = encode(needed, case.rows), encode(needed, case.past)
    names = run(case.script, case.args, encode(needed, case.rows[:1]), 1, splunkd, home).answers.names
    added = [name for name in names if name not in needed]
    echo_args = (f"fields={','.join(needed)}", f"add={','.join(added)}")

    def ours() -> Measurement:
        for name in case.collections:
            head.kv.collection(name).delete(None)
        if case.past:
            run(case.script, case.args, past, len(case.past), splunkd, home)
        return run(case.script, case.args, chunks, len(case.rows), splunkd, home)

    def echo() -> Measurement:
        return run(ECHO, echo_args, chunks, len(case.rows), splunkd, home)

    measured: dict[str, list[Measurement]] = {"ours": [], "echo": []}
    for number in range(repetitions):
        told(f"{case.name} {number + 1} of {repetitions}")
        pair = (("ours", ours), ("echo", echo))
        for name, once in pair if number % 2 == 0 else reversed(pair):
            measured[name].append(once())
    size = sum(map(len, chunks)) / max(1, len(case.rows))
    return Result(case, measured["ours"], measured["echo"], size)
