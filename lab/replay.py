"""`./dev replay`: your own logs through the shipped searches, commands and KV store; findings out. No Splunk needed."""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Iterable, Optional, Sequence

from cba.detection.model import SETUP_SEARCH, source_search
from lab import closing, eventfile, export, stray
from lab.errors import LabError
from lab.events import Event
from lab.ingest import SOURCES, Problem, forms, read_events
from lab.logtime import parse_time
from lab.output import file_to_write
from lab.progress import Progress
from lab.scheduler import CADENCES, Enable, Run
from lab.searchhead import SearchHead
from lab.state import prepare
from lab.terminal import grid, on

# The app that is run: this checkout, or with CBA_APP another one, such as an unpacked archive (./dev package --check).
APP_DIR = Path(os.environ.get("CBA_APP") or Path(__file__).resolve().parent.parent)
DAY = 86_400
HOUR = 3600
AFTERMATH = 3 * HOUR
"""After the last event: time for the searches that look at it."""
PROBLEMS_SHOWN = 5
OF_NO_FORM = ("event time", "no event time", "no such file", "cannot read further")
"""How reasons begin for which another form of the same log would be no better."""
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
ALERT = "| cbaalerts "


def is_shipped_schedule(name: str) -> bool:
    """Every scheduled search of the app: they ship disabled, a replay enables them all, so that there is nothing left
    to set up."""
    return name.startswith("CBA - ") and name != SETUP_SEARCH


def judges_nothing_but(source: str) -> Enable:
    """The app's scheduled searches without those that judge other sources, which have no events."""
    others = {source_search(other, "Judge") for other in SOURCES if other != source}
    return lambda name: is_shipped_schedule(name) and name not in others


class Idle:
    """Which runs would do nothing: an alert reads findings and nothing else, so it has nothing to raise as long as none
    was written since its last run. Most runs of the app are such."""

    def __init__(self, head: SearchHead) -> None:
        self._findings = head.kv.collection("cba_findings")
        alerts = (
            name for name, search in head.scheduler.searches().items() if ALERT in search.stanza.get("search", "")
        )
        self._seen: dict[str, Optional[int]] = dict.fromkeys(alerts)

    def __call__(self, run: Run) -> bool:
        if run.name not in self._seen:
            return False
        before, self._seen[run.name] = self._seen[run.name], self._findings.writes
        return before == self._findings.writes


def replay(
    head: SearchHead, cadence: str, label: str = "replay", enable: Enable = is_shipped_schedule
) -> list[dict[str, Any]]:
    """Enables the app's scheduled searches and runs them over everything in the head's event store; the findings as
    `export.records`.

    Raises LabError when a search fails.
    """
    first, last = head.events.first_time(), head.events.last_time()
    if first is None or last is None:
        return []
    head.enable(search.name for search in head.scheduler.selected(enable) if not search.enabled)
    # One run more, in which what the last one found is told.
    start, end = first // DAY * DAY, (last + AFTERMATH) // HOUR * HOUR + HOUR + CADENCES[cadence]
    with Progress(end - start, label) as progress:
        head.scheduler.replay(
            start,
            end,
            cadence,
            enable,
            lambda done, _all, _search: progress.update(done, export.iso(start + done)[:10]),
            skips=Idle(head),
        )
    return export.records(head.kv.collection("cba_findings").find())


class Problems:
    """Counts what could not be read and says the first few of each kind."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.of_form = False
        """Whether something may be of a form that nobody here reads."""

    def __call__(self, problem: Problem) -> None:
        kind = problem.reason.split(":")[0]
        self.counts[kind] += 1
        self.of_form |= not kind.startswith(OF_NO_FORM)
        if self.counts[kind] <= PROBLEMS_SHOWN:
            print(f"skipped: {problem}", file=sys.stderr)

    def summary(self) -> Optional[str]:
        """One line, or None when everything could be read."""
        if not self.counts:
            return None
        return f"{sum(self.counts.values())} skipped ({', '.join(f'{n} × {kind}' for kind, n in self.counts.items())})"


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev replay", description=__doc__)
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a log (JSON in any arrangement, .gz; Sysmon's XML, Purview's CSV), or a folder of them",
    )
    parser.add_argument("--source", required=True, choices=list(SOURCES), help="what kind of logs they are")
    parser.add_argument(
        "--since", type=_time, metavar="TIME", help="leave out events before it (2026-01-31 or ISO 8601)"
    )
    parser.add_argument("--until", type=_time, metavar="TIME", help="leave out events from it on")
    parser.add_argument(
        "--cadence", choices=list(CADENCES), default="1d", help="how often the searches run (default 1d)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the findings, one JSON object a line")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep histories, findings and progress here, for ./dev serve --state DIR too",
    )
    return parser.parse_args(arguments)


def _time(text: str) -> float:
    time = parse_time(f"{text}T00:00:00Z" if DATE.fullmatch(text) else text)
    if time is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00Z")
    return time


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    try:
        if options.out is not None:
            file_to_write(options.out)
        if options.state is not None:
            prepare(options.state)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    problems = Problems()
    events = list(read_events(options.source, options.files, options.since, options.until, problems))
    if skipped := problems.summary():
        print(skipped, file=sys.stderr)
        if problems.of_form:
            print(forms(options.source), file=sys.stderr)
    if not events:
        print("no event could be read, so there is nothing to replay", file=sys.stderr)
        return 1
    keep = stray.kept((event.time for event in events), options.since is not None, options.until is not None)
    for sentence in keep.said:
        print(sentence, file=sys.stderr)
    events = [event for event in events if keep.first <= event.time <= keep.last]
    if options.state is not None:
        return _run(events, keep, options, options.state)
    with tempfile.TemporaryDirectory(prefix="cba-replay-") as state:
        return _run(events, keep, options, Path(state))


def _run(events: Iterable[Event], kept: stray.Kept, options: argparse.Namespace, state: Path) -> int:
    try:
        with SearchHead(APP_DIR, state) as head:
            count = head.events.add(events)
            findings = replay(head, options.cadence, enable=judges_nothing_but(options.source))
            if options.state is not None:
                eventfile.write(head.events, state)
            state_of_things = _closing(head, options.source, count, kept.last, bool(findings))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    console = on(sys.stdout)
    if console.is_terminal and findings:
        console.print(grid(("time (UTC)", "severity", "what, and why"), map(export.row, findings)))
    elif findings:
        print("\n".join(map(export.line, findings)))
    period = f"{export.iso(kept.first)[:10]} to {export.iso(kept.last)[:10]}"
    print(f"{_counted(count, 'event')}, {period}: {_counted(len(findings), 'finding')}")
    print(state_of_things)
    if options.out is not None:
        options.out.write_text("".join(json.dumps(f, ensure_ascii=False) + "\n" for f in findings), encoding="utf-8")
        print(f"written to {options.out}")
    return 0


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _closing(head: SearchHead, source: str, count: int, end: float, any_findings: bool) -> str:
    rows, width = closing.health(head, source, end), min(on(sys.stdout).width, closing.WIDTH)
    table = closing.table(rows, source, end, width)
    if any_findings:
        return table
    why = closing.why_nothing(source, count, closing.tally(head, source), rows)
    return f"Nothing was found, because:\n{closing.sentences(why, width)}\n{table}"


if __name__ == "__main__":
    sys.exit(main())
