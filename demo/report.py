"""The demo's last page: the alerts as a table, and in one line whether the hidden attacks are among them.

width, colour = terminal(sys.stdout)
print(report(findings, hidden_attacks(o), benign_surprises(o), decoys(o), width=width, colour=colour))
"""

from __future__ import annotations

import dataclasses
import datetime
import shutil
import textwrap
from typing import Any, Mapping, Optional, Sequence, TextIO, TypeVar

from .attacks import BenignSurprise, Decoy, HiddenAttack, Truth

Finding = Mapping[str, Any]
"""One finding as `./dev replay --out` writes it: detection, variation, name, severity, identity, country, first_time
and last_time (ISO 8601), count, explanation, …"""

SLACK = 60.0
"""Seconds by which a finding's times may differ from the truth's (sub-second times are cut)."""
MIN_WIDTH = 72
ROW_LINES = 5
"""Longer explanations are cut; the finding keeps all of it."""

_COLOURS = {"high": "1;31", "medium": "33", "low": "36", "informational": "2"}
_SHORT = {"informational": "info"}
_HEADS = ("", "time (UTC)", "severity", "alert", "who", "from", "why")

T = TypeVar("T", bound=Truth)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Findings sorted out by what they are about."""

    attacks: dict[str, list[Finding]]
    missed: list[HiddenAttack]
    other_variation: list[HiddenAttack]
    surprises: list[Finding]
    decoys: list[Finding]
    unexplained: list[Finding]

    @property
    def others(self) -> int:
        """Alerts about nothing hidden."""
        return len(self.surprises) + len(self.decoys) + len(self.unexplained)


def compare(
    findings: Sequence[Finding],
    attacks: Sequence[HiddenAttack],
    benign: Sequence[BenignSurprise] = (),
    decoys: Sequence[Decoy] = (),
) -> Outcome:
    """Match findings with the truth by identity, country and time. A finding belongs to one truth, attacks first."""
    of_attack: dict[str, list[Finding]] = {attack.id: [] for attack in attacks}
    surprises: list[Finding] = []
    silent: list[Finding] = []
    unexplained: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: _seconds(finding["first_time"])):
        attack = _match(finding, attacks)
        if attack is not None:
            of_attack[attack.id].append(finding)
        elif _match(finding, benign) is not None:
            surprises.append(finding)
        elif _match(finding, decoys) is not None:
            silent.append(finding)
        else:
            unexplained.append(finding)
    found = [attack for attack in attacks if of_attack[attack.id]]
    return Outcome(
        attacks=of_attack,
        missed=[attack for attack in attacks if not of_attack[attack.id]],
        other_variation=[a for a in found if all(str(f["variation"]) != a.variation for f in of_attack[a.id])],
        surprises=surprises,
        decoys=silent,
        unexplained=unexplained,
    )


def report(
    findings: Sequence[Finding],
    attacks: Sequence[HiddenAttack],
    benign: Sequence[BenignSurprise] = (),
    decoys: Sequence[Decoy] = (),
    *,
    width: int = 120,
    colour: bool = False,
) -> str:
    """The table (a `*` before the alerts about hidden attacks), an empty line, the one-line verdict."""
    outcome = compare(findings, attacks, benign, decoys)
    starred = {id(finding) for found in outcome.attacks.values() for finding in found}
    widths = _widths(max(width, MIN_WIDTH))
    lines = [*_row(_HEADS, widths), "  ".join("-" * size for size in widths)]
    for finding in sorted(findings, key=lambda finding: _seconds(finding["first_time"])):
        severity = str(finding["severity"])
        cells = (
            "*" if id(finding) in starred else "",
            _clock(finding["first_time"]),
            _SHORT.get(severity.lower(), severity),
            str(finding["name"]),
            str(finding["identity"]).replace("arn:aws:iam::", "aws:"),
            str(finding["country"]),
            str(finding.get("explanation") or ""),
        )
        lines += _row(cells, widths, _COLOURS.get(severity.lower(), "0") if colour else None)
    return "\n".join([*lines, "", summary(outcome, benign)])


def summary(outcome: Outcome, benign: Sequence[BenignSurprise] = ()) -> str:
    """One line: found, missed, other alerts and why they came."""
    hidden = len(outcome.attacks)
    parts = [f"Hidden attacks (*): {hidden - len(outcome.missed)} of {hidden} found, {_missed(outcome.missed)}"]
    if outcome.other_variation:
        parts.append("as another variation: " + ", ".join(attack.id for attack in outcome.other_variation))
    reasons = []
    if outcome.surprises:
        causes = {match.id: None for f in outcome.surprises for match in [_match(f, benign)] if match is not None}
        reasons.append(f"{len(outcome.surprises)} truly a first time but harmless ({', '.join(causes)})")
    if outcome.decoys:
        reasons.append(f"{len(outcome.decoys)} about decoys that should have stayed silent")
    if outcome.unexplained:
        reasons.append(f"{len(outcome.unexplained)} unexplained")
    others = f"{outcome.others} other alert{'' if outcome.others == 1 else 's'}"
    parts.append(others + (": " + ", ".join(reasons) if reasons else ""))
    return "; ".join(parts) + "."


def terminal(stream: TextIO) -> tuple[int, bool]:
    """(width, colour) for a stream: the terminal's width and colour, or 120 columns without when it is none."""
    if not stream.isatty():
        return 120, False
    return shutil.get_terminal_size((120, 24)).columns, True


def _missed(missed: Sequence[HiddenAttack]) -> str:
    if not missed:
        return "0 missed"
    told = ", ".join(f"{attack.id}: {attack.identity} from {attack.country}" for attack in missed)
    return f"{len(missed)} missed ({told})"


def _match(finding: Finding, truths: Sequence[T]) -> Optional[T]:
    """The truth this finding is about: same identity and country, overlapping in time."""
    identity, country = str(finding["identity"]).lower(), finding["country"]
    first, last = _seconds(finding["first_time"]), _seconds(finding.get("last_time") or finding["first_time"])
    for truth in truths:
        overlap = first <= truth.last_time + SLACK and last >= truth.first_time - SLACK
        if overlap and truth.identity.lower() == identity and truth.country == country:
            return truth
    return None


def _seconds(value: object) -> float:
    """Epoch seconds of an ISO 8601 text (without a zone: UTC) or a number."""
    if isinstance(value, (int, float)):
        return float(value)
    time = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return (time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _clock(value: object) -> str:
    return f"{datetime.datetime.fromtimestamp(_seconds(value), datetime.timezone.utc):%m-%d %H:%M}"


def _widths(width: int) -> list[int]:
    """Column widths that fill `width`: the texts share what the short columns leave."""
    mark, time, severity, country, gaps = 1, 11, 8, 4, 6 * len("  ")
    left = width - (mark + time + severity + country + gaps)
    name, who = left * 35 // 100, min(left * 28 // 100, 48)
    return [mark, time, severity, name, who, country, left - name - who]


def _row(cells: Sequence[str], widths: Sequence[int], colour: Optional[str] = None) -> list[str]:
    wrapped = [
        textwrap.wrap(cell, size, max_lines=ROW_LINES, placeholder=" …") or [""] for cell, size in zip(cells, widths)
    ]
    lines = []
    for number in range(max(len(lines) for lines in wrapped)):
        texts = [(part[number] if number < len(part) else "").ljust(size) for part, size in zip(wrapped, widths)]
        if colour is not None:
            texts[2] = f"\033[{colour}m{texts[2]}\033[0m"
        lines.append("  ".join(texts).rstrip())
    return lines
