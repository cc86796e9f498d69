"""`./dev attest`: tries every case of SPL semantics, and every scenario of a detection, on a Splunk of yours.

Cases of plain rows only search. With --yes, others make lookups, macros and collections named cba_attest_… for the
moment of their search, and scenarios run where the app is installed, has learned nothing and has no search enabled;
what they write is removed again, and a setting that they change is set back. With an index and the HTTP Event
Collector, cases of raw events are tried too; those events stay in the index (source=cba_attest_*).
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

from cba.detection.catalogue import load as load_catalogue
from lab.conf import AppConf, load_app
from lab.progress import Progress
from lab.remote import APP, Collector, Remote, RemoteError
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.splunkd import PASSWORD, USERNAME
from tests.attest.cases import PREFIX, attest_case
from tests.attest.outcome import DISAGREES, NOT_RUN, STRICTER, Outcome, counts, summary
from tests.attest.scenarios import NotClean, attest_scenario, check_clean
from tests.scenarios.scenario import Scenario
from tests.scenarios.scenario import load_all as load_scenarios
from tests.spl.harness import Case, load_cases

AGREEMENT, DISAGREEMENT, IMPOSSIBLE = 0, 1, 2
"""Exit codes; IMPOSSIBLE when Splunk could not be asked, or scenarios were asked for and may not run there."""
LAB = "lab"
SCENARIO_NEEDS_YES = "it writes to the app's collections and settings (give --yes)"


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev attest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--splunk", required=True, metavar="URL", help="its management port, https://host:8089, or lab: the lab itself"
    )
    parser.add_argument("--user", default="admin", help="who logs in (default admin)")
    parser.add_argument("--password", help="else the environment's SPLUNK_PASSWORD, else you are asked")
    parser.add_argument("--token", help="an authentication token instead (or the environment's SPLUNK_TOKEN)")
    parser.add_argument("--verify", action="store_true", help="insist on a certificate this machine trusts")
    parser.add_argument("--app", default=APP, help=f"the namespace cases run in (default {APP})")
    parser.add_argument("--yes", action="store_true", help="allow what has to be written")
    parser.add_argument("--index", help="takes the events of cases that have some")
    parser.add_argument("--hec", metavar="URL", help="the HTTP Event Collector: https://host:8088")
    parser.add_argument("--hec-token", help="a token of it that may write to --index")
    parser.add_argument("--only", choices=("cases", "scenarios"), help="leave out the other half")
    parser.add_argument("--match", default="", metavar="TEXT", help="only those with TEXT in their names")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report for programs")
    options = parser.parse_args(arguments)
    if options.index and not (options.hec and options.hec_token):
        parser.error("--index needs --hec and --hec-token, which bring the events there")
    return options


def main(
    arguments: Optional[Sequence[str]] = None,
    cases: Optional[Sequence[Case]] = None,
    scenarios: Optional[Sequence[Scenario]] = None,
) -> int:
    """Returns the exit code. `cases` and `scenarios` are those of tests/ unless given."""
    options = _arguments(arguments)
    wanted = options.match.lower()
    tried_cases = [
        (number, case)
        for number, case in enumerate(load_cases() if cases is None else cases)
        if options.only != "scenarios" and wanted in f"{case.file[: -len('.yml')]}: {case.name}".lower()
    ]
    every = load_scenarios() if scenarios is None else scenarios
    tried = [scenario for scenario in every if options.only != "cases" and wanted in scenario.id.lower()]
    if not tried_cases and not tried:
        print(f"no case and no scenario has {options.match!r} in its name", file=sys.stderr)
        return IMPOSSIBLE
    app = load_app(APP_DIR, APP_DIR / "no-local")  # as shipped
    try:
        with _connected(options) as remote:
            refusal = _refusal(remote, app) if tried and options.yes else ""
            where = "the lab" if options.splunk == LAB else f"Splunk {remote.version}"
            _announce(remote, where, options, refusal)
            outcomes = [
                *_cases(remote, tried_cases, options),
                *_scenarios(remote, app, tried, refusal if options.yes else SCENARIO_NEEDS_YES),
            ]
            report = _report(remote, outcomes)
    except RemoteError as problem:
        print(problem, file=sys.stderr)
        return IMPOSSIBLE
    except KeyboardInterrupt:
        print("\nstopped; what was to be removed has been removed", file=sys.stderr)
        return IMPOSSIBLE
    _tell(outcomes, where)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"written to {options.json}")
    if any(outcome.verdict == DISAGREES for outcome in outcomes):
        return DISAGREEMENT
    return IMPOSSIBLE if refusal else AGREEMENT


@contextmanager
def _connected(options: argparse.Namespace) -> Iterator[Remote]:
    if options.splunk != LAB:
        yield _connect(options)
        return
    with tempfile.TemporaryDirectory(prefix="cba-attest-") as state, SearchHead(APP_DIR, state) as head:
        options.index = options.index or "main"
        collector = Collector(head.splunkd.uri, head.collector.token)
        yield Remote.connect(head.splunkd.uri, USERNAME, PASSWORD, app=options.app, collector=collector)


def _connect(options: argparse.Namespace) -> Remote:
    token = options.token or os.environ.get("SPLUNK_TOKEN", "")
    password = options.password or os.environ.get("SPLUNK_PASSWORD", "")
    if not token and not password:
        password = getpass.getpass(f"Password of {options.user} on {options.splunk}: ")
    collector = Collector(options.hec, options.hec_token, options.verify) if options.hec else None
    return Remote.connect(options.splunk, options.user, password, token, options.app, options.verify, collector)


def _refusal(remote: Remote, app: AppConf) -> str:
    try:
        check_clean(remote, app)
    except NotClean as problem:
        return str(problem)
    return ""


def _announce(remote: Remote, where: str, options: argparse.Namespace, refusal: str) -> None:
    print(f"{where}, app {APP} {remote.installed() or 'not installed'}")
    if refusal:
        print(f"no scenario is run: {refusal}")
    if options.yes:
        besides = "" if refusal or options.only == "cases" else ", and to the app's collections and settings"
        print(f"writes lookups, macros and collections named {PREFIX}*{besides}; undone at once")
    if options.yes and options.index:
        print(f"writes events to index {options.index}, source {PREFIX}*; they stay there")


def _cases(remote: Remote, cases: Sequence[tuple[int, Case]], options: argparse.Namespace) -> Iterator[Outcome]:
    run = f"{PREFIX}{int(time.time())}"  # of its own each time, so that no run finds the events of another

    def attest(numbered: tuple[int, Case]) -> Outcome:
        number, case = numbered
        return attest_case(remote, case, f"{run}_{number}", options.yes, options.index)

    return _with_progress("cases", cases, attest)


def _scenarios(remote: Remote, app: AppConf, scenarios: Sequence[Scenario], reason: str) -> Iterator[Outcome]:
    if reason:
        return (Outcome("scenario", scenario.id, NOT_RUN, reason) for scenario in scenarios)
    detections = load_catalogue().detections
    return _with_progress(
        "scenarios", scenarios, lambda one: attest_scenario(remote, app, one, detections[one.detection])
    )


def _with_progress(label: str, things: Sequence[Any], attest: Callable[[Any], Outcome]) -> Iterator[Outcome]:
    disagreements = 0
    with Progress(len(things), label) as progress:
        for done, thing in enumerate(things, 1):
            outcome = attest(thing)
            disagreements += outcome.verdict == DISAGREES
            note = f"{done} of {len(things)}" + (f", {disagreements} disagree" if disagreements else "")
            progress.update(done, note)
            yield outcome


def _tell(outcomes: Sequence[Outcome], where: str) -> None:
    for verdict in (STRICTER, DISAGREES):
        for outcome in outcomes:
            if outcome.verdict == verdict:
                print("\n".join(outcome.lines()))
    for line in summary(outcomes, where):
        print(line)


def _report(remote: Remote, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """For programs: every outcome, and what was asked when."""
    info = remote.service.info
    return {
        "splunk": {"version": remote.version, "build": str(info["build"])},
        "app": {"id": APP, "version": remote.installed()},
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "counts": counts(outcomes),
        "outcomes": [vars(outcome) for outcome in outcomes],
    }


if __name__ == "__main__":
    sys.exit(main())
