"""`./dev demo`: a generated organization of 45 days with attacks hidden in it, through the shipped searches and
commands at simulated cron times; ends with the alerts by detection and variation, and with what was found and missed.
No Splunk, no network."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterable, Iterator, Optional, Sequence

from demo import Organization, benign_surprises, decoys, events, hidden_attacks, lists, write_files
from demo.formats.template import DAY
from demo.report import report, terminal
from lab import eventfile
from lab.errors import LabError
from lab.events import Event
from lab.output import folder_to_write
from lab.progress import Progress
from lab.replay import APP_DIR, replay
from lab.scheduler import CADENCES
from lab.searchhead import SearchHead
from lab.state import DEMO_STATE, keep, prepare


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="another organization (default 7)")
    parser.add_argument("--events-per-day", type=int, default=2000, help="how busy it is (default 2000)")
    parser.add_argument(
        "--cadence", choices=list(CADENCES), default="1d", help="how often the searches run (default 1d)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="DIR", help="only write the logs there, in the providers' formats"
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", default=DEMO_STATE, help="keep the result here, in place of the last one"
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    organization = Organization(seed=options.seed, events_per_day=options.events_per_day)
    try:
        if options.write is not None:
            folder_to_write(options.write)
        else:
            prepare(options.state)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    if options.write is not None:
        for source, written in write_files(organization, options.write).items():
            print(f"./dev replay --source {source} {written}")
        return 0
    # Beside the state of the last run, which it replaces only when it has come to its end.
    with tempfile.TemporaryDirectory(prefix="cba-demo-", dir=options.state.parent) as folder:
        state = Path(folder) / "state"
        try:
            status = _run(organization, options.cadence, state)
            keep(state, options.state)
        except LabError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"Look at it: ./dev serve{'' if options.state == DEMO_STATE else f' --state {options.state}'}")
    return status


def _run(organization: Organization, cadence: str, state: Path) -> int:
    started = time.monotonic()
    with SearchHead(APP_DIR, state) as head:
        lists.fill(head, lists.all_rows(organization))
        with Progress(organization.days, f"Generating {organization.days} days of logs") as progress:
            count = head.events.add(_told(events(organization), organization, progress))
        findings = replay(head, cadence, "Replaying")
        eventfile.write(head.events, state)
        notables = head.search("search index=notable | stats count", latest=organization.last_time + 86_400).rows
    width, colour = terminal(sys.stdout)
    truth = (hidden_attacks(organization), benign_surprises(organization), decoys(organization))
    print(report(findings, *truth, width=width, colour=colour))
    raised = notables[0]["count"] if notables else 0
    print(f"{count:,} events in {time.monotonic() - started:.0f} s; {len(findings)} findings, {raised} notable events.")
    return 0


def _told(logs: Iterable[Event], organization: Organization, progress: Progress) -> Iterator[Event]:
    """The same events; says which day they have come to."""
    today = -1
    for event in logs:
        if (day := int(event.time - organization.first_time) // DAY) != today:
            today = day
            progress.update(day + 1, organization.day(day).date)
        yield event


if __name__ == "__main__":
    sys.exit(main())
