"""`./dev prove`: days of a generated organization lived through with faults, kills, wrong clocks and late events, each
compared with an undisturbed day; and everything that reads what others write, fuzzed. Ends with what was different."""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Optional, Sequence

from lab.replay import APP_DIR
from prove import report
from prove.fuzz import Fuzzed, fuzz, targets
from prove.heads import killed_heads
from prove.lines import fuzz_head
from prove.rounds import Outcome, Proof
from prove.world import World

PAGE = APP_DIR / "docs" / "reliability.md"
DAYS = (41, 37, 39, 43)
"""Days of the organization on which much happens."""
ROUNDS_A_DAY = 12
FAULTS_SHOWN = 3
FUZZED_SHARE = 0.4
"""Of the time."""
INPUTS_A_MINUTE = 250_000
RAW_LINES, CHUNKS, DOCUMENTS = 4_000, 300, 150
"""For each minute of fuzzing with a search head."""


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev prove", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="how long (default 10)")
    parser.add_argument("--seed", default=None, help="what is drawn (default: today's date)")
    parser.add_argument("--only", choices=("rounds", "fuzz"), help="leave out the other half")
    parser.add_argument("--write", action="store_true", help="write the result into docs/reliability.md")
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    seed = options.seed or datetime.date.today().isoformat()
    quiet()
    seconds = options.minutes * 60
    share = {"rounds": 0.0, "fuzz": 1.0}.get(options.only, FUZZED_SHARE)
    print(f"seed {seed}, {options.minutes:g} minutes", flush=True)
    outcomes, kept = ([], {}) if share == 1 else rounds(seed, seconds * (1 - share))
    fuzzed = {} if not share else fuzzing(seed, seconds * share, kept)
    section = report.text(seed, options.minutes, outcomes, fuzzed, datetime.date.today())
    print("\n" + section)
    if options.write:
        report.write(PAGE, section)
    wrong = [fault for each in outcomes for fault in each.differences] + [w for f in fuzzed.values() for w in f.wrong]
    return 1 if wrong else 0


def rounds(seed: str, seconds: float) -> tuple[list[Outcome], dict[str, list[dict[str, object]]]]:
    """As many as there is time for, on several days; and the documents that were kept at the end, to be fuzzed."""
    until, outcomes, kept = time.monotonic() + seconds, [], {}
    for place, day in enumerate(DAYS):
        if time.monotonic() > until:
            break
        with tempfile.TemporaryDirectory(prefix="cba-prove-") as folder, World(Path(folder), seed=7, day=day) as world:
            proof = Proof(world)
            world.again()
            kept = {name: world.head.kv.collection(name).find() for name in world.head.kv.names()}
            for number in range(ROUNDS_A_DAY if place < len(DAYS) - 1 else 10_000):
                if time.monotonic() > until:
                    break
                name = f"{seed}/{day}/{number}"
                outcome = (
                    killed_heads(proof, name, number % 2 == 1) if number in (3, 6) else
                    proof.late(name) if number == 9 else proof.round(name)
                )  # fmt: skip
                outcomes.append(outcome)
                _tell(outcome)
    return outcomes, kept


def fuzzing(seed: str, seconds: float, kept: dict[str, list[dict[str, object]]]) -> dict[str, Fuzzed]:
    """A third of the time with a search head, the rest on what reads by itself."""
    with_head = seconds / 60 / 3
    raw, chunks, stored = (round(each * with_head) for each in (RAW_LINES, CHUNKS, DOCUMENTS))
    result = fuzz_head(seed, raw, chunks, stored, time.monotonic() + seconds / 3)
    alone = seconds * 2 / 3
    until = time.monotonic() + alone
    result.update(fuzz(targets(kept), seed, round(INPUTS_A_MINUTE * alone / 60), until))
    for name, each in result.items():
        print(f"{name}: {each.inputs:,} inputs, {each.refused:,} refused, {len(each.wrong)} faults", flush=True)
        for fault in each.wrong[:FAULTS_SHOWN]:
            print(f"    {fault.encode('unicode_escape').decode()}")
    return result


def _tell(outcome: Outcome) -> None:
    said = "alike" if not outcome.differences else f"{len(outcome.differences)} DIFFERENCES"
    print(f"{outcome.seed} {outcome.kind}: {'; '.join(outcome.told)}: {said}, {outcome.seconds:.0f} s", flush=True)
    for difference in outcome.differences[:FAULTS_SHOWN]:
        print(f"    {difference[:600]}")


def quiet() -> None:
    """Commands in this process say on stderr what ended them; here that is what is wanted."""
    logging.getLogger("splunklib").setLevel(logging.CRITICAL + 1)
    logging.raiseExceptions = False
    if not sys.stderr.isatty():
        os.environ.setdefault("PYTHONWARNINGS", "ignore")


if __name__ == "__main__":
    sys.exit(main())
