"""`./dev benchmark`: does it find attackers, and how much noise does it make? Generated organizations whose normal life
is hard, attacks of every variation laid into them, the shipped app through the lab, and other detectors over the same
rows. Results and what they mean: docs/quality.md."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Optional, Sequence

from lab.errors import LabError
from lab.terminal import going_on

from . import band, document, public, report
from .run import Evaluation, evaluate, from_json, to_json
from .world import Plan

ROOT = Path(__file__).resolve().parents[1]
QUICK = Plan(size=120, seed=1, days=52)
SIZE, DAYS = 300, 75
TRAINING, HELD_OUT = (1, 2, 3, 4), (301, 302, 303, 304, 305)
"""Seeds: what is looked at while settings are chosen, and what is reported."""
PLAIN, STEALTHY = 2, 1
MEASURING = ("bin/cba/**/*.py", "content/**/*.yml", "benchmark/**/*.py", "demo/formats/*.py")
"""What results depend on."""
TELLING = ("__main__.py", "band.py", "document.py", "plot.py", "public.py", "report.py")
"""What only tells of them."""


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev benchmark", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help=f"one small organization; fails outside the band of {band.FILE.name}"
    )
    parser.add_argument("--size", type=int, default=SIZE, help=f"identities, 100 to 10,000 (default {SIZE})")
    parser.add_argument("--days", type=int, default=DAYS, help=f"days of logs, 50 to 120 (default {DAYS})")
    parser.add_argument(
        "--seeds", type=_seeds, default=HELD_OUT, help=f"default {','.join(map(str, HELD_OUT))}, which are held out; "
        f"settings are chosen on {','.join(map(str, TRAINING))}",
    )  # fmt: skip
    parser.add_argument(
        "--library", action="store_true", help="let the app's library judge rows in place of the app in the lab: the "
        "same findings, in half the time",
    )  # fmt: skip
    parser.add_argument(
        "--ablated", type=int, metavar="N", help="tune the app, and remove its ideas, in the first N organizations only"
    )
    parser.add_argument("--write", action="store_true", help="write tables and picture into docs/quality.md")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep each organization's results there, and use those"
    )
    parser.add_argument(
        "--public",
        type=Path,
        metavar="FILE",
        help="the detectors on the public Workspace log of Invictus 2022, as JSON lines",
    )
    return parser.parse_args(arguments)


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = _arguments(arguments)
    try:
        if options.public is not None:
            print(public.table(options.public))
            return 0
        if options.quick:
            return _quick()
        plans = [Plan(size=options.size, seed=seed, days=options.days) for seed in options.seeds]
        ablated = len(plans) if options.ablated is None else options.ablated
        evaluations = [
            _kept(plan, options.keep, number < ablated, not options.library) for number, plan in enumerate(plans)
        ]
    except (LabError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report.tables(evaluations))
    if options.write:
        for path in document.write(ROOT, evaluations):
            print(f"written: {path}")
    return 0


def _quick() -> int:
    evaluation = evaluate(QUICK, 1, 1, ablations=False, told=going_on)
    print(report.summary(evaluation))
    found = band.numbers(evaluation)
    for name, value in found.items():
        print(f"{name}: {value:.3f}")
    said = band.outside(found, band.read())
    for sentence in said:
        print(sentence, file=sys.stderr)
    return 1 if said else 0


def _kept(plan: Plan, folder: Optional[Path], ablations: bool, through_lab: bool) -> Evaluation:
    """What was kept of an organization, or measured now."""
    file = None if folder is None else folder / kept_as(plan, ablations, through_lab)
    if file is not None and file.exists():
        return from_json(file.read_text("utf-8"))
    evaluation = evaluate(plan, PLAIN, STEALTHY, ablations, going_on, through_lab)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(to_json(evaluation), "utf-8")
    return evaluation


def kept_as(plan: Plan, ablations: bool, through_lab: bool) -> str:
    """The name of the file in which the results of an organization are kept: what was measured, how, and by which
    programs, so that nothing is taken for what it is not."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(path for pattern in MEASURING for path in ROOT.glob(pattern)):
        if path.name not in TELLING:
            digest.update(path.read_bytes())
    how = f"{'every-idea' if ablations else 'ours'}-{'lab' if through_lab else 'library'}"
    return f"{plan.size}-{plan.days}-{plan.seed}-{how}-{digest.hexdigest()}.json"


if __name__ == "__main__":
    sys.exit(main())
