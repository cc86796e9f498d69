"""What a long run has tried, as the generated part of docs/reliability.md."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path
from typing import Mapping, Sequence

from marked import Section, table

from prove.fuzz import Fuzzed
from prove.rounds import Outcome

SECTION = Section("<!-- written by ./dev prove -->", "<!-- end of what ./dev prove writes -->")


def text(
    seed: str, minutes: float, outcomes: Sequence[Outcome], fuzzed: Mapping[str, Fuzzed], when: datetime.date
) -> str:
    """The section, in Markdown."""
    inputs = sum(each.inputs for each in fuzzed.values())
    wrong = sum(len(each.wrong) for each in fuzzed.values())
    different = [each for each in outcomes if each.differences]
    about = (
        f"{when.isoformat()}, `./dev prove --minutes {minutes:g} --seed {seed}`: {len(outcomes)} rounds, of which "
        f"{len(different)} ended differently from an undisturbed day; {inputs:,} fuzzed inputs, {wrong} faults."
    )
    drawn = f"What was drawn, and in how many rounds: {_told(outcomes)}."
    return "\n\n".join((about, _rounds(outcomes), drawn, _inputs(fuzzed))) + "\n"


def _rounds(outcomes: Sequence[Outcome]) -> str:
    kinds: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.kind, []).append(outcome)
    rows = []
    for kind, found in sorted(kinds.items()):
        counts = Counter[str]()
        for each in found:
            counts.update(
                hit=each.requests_hit, failed=each.runs_failed, skipped=each.runs_skipped, doubled=each.runs_doubled,
                astray=each.runs_astray, alike=not each.differences,
            )  # fmt: skip
        told = (f"{counts[name]:,}" for name in ("alike", "hit", "failed", "skipped", "doubled", "astray"))
        rows.append((len(found), kind, *told))
    return table(
        ("rounds", "", "ended alike", "requests hit", "runs failed", "skipped", "doubled", "by a wrong clock"), rows
    )


def _inputs(fuzzed: Mapping[str, Fuzzed]) -> str:
    rows = []
    for name, one in fuzzed.items():
        slowest = f"{1000 * one.slowest:.0f} ms" if one.slowest else ""
        rows.append((name, f"{one.inputs:,}", f"{one.refused:,}", slowest, len(one.wrong)))
    return table(("fuzzed", "inputs", "refused with a sentence", "slowest", "faults"), rows)


def _told(outcomes: Sequence[Outcome]) -> str:
    kinds: Counter[str] = Counter()
    for outcome in outcomes:
        kinds.update({_kind(told) for told in outcome.told})
    return ", ".join(f"{name} ({count})" for name, count in sorted(kinds.items()))


def _kind(told: str) -> str:
    """A disturbance without its numbers, but for an HTTP status."""
    if "×" in told:
        return told.partition("× ")[2]
    words = told.replace("%", "").split()
    if words[:1] == ["clock"]:
        return "clock ahead" if words[1].startswith("+") else "clock behind"
    return (
        " ".join(word for word in words if not any(c.isdigit() for c in word))
        .removesuffix(" for h")
        .removeprefix("of ")
    )


def write(path: Path, section: str) -> None:
    """Puts the section in the place of the last one."""
    path.write_text(SECTION.replaced(path.read_text("utf-8"), section), "utf-8")
