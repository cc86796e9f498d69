"""The demo's last page: by detection and variation the alerts as a table, what had to stay silent, and in one line
whether every hidden attack was found as the variation it was made for.

width, colour = terminal(sys.stdout)
print(report(findings, hidden_attacks(o), benign_surprises(o), decoys(o), width=width, colour=colour))
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Mapping, Optional, Sequence, TextIO, TypeVar

from rich.text import Text

from cba.detection.catalogue import get
from cba.detection.model import Variation
from cba.terms import ABSENT
from lab.terminal import COLOURS, drawn, grid, on, text

from .attacks import BenignSurprise, Decoy, HiddenAttack, Truth
from .story import ANY

Finding = Mapping[str, Any]
"""One finding as `./dev replay --out` writes it: detection, key, variation, name, severity, identity, first_time and
last_time (ISO 8601), count, explanation, …"""

SLACK = 60.0
"""Seconds by which a finding's times may differ from the truth's (sub-second times are cut)."""
MIN_WIDTH = 72
_SHORT = {"informational": "info"}
_HEADS = ("", "time (UTC)", "who, and what; what was hidden; why it was raised")

T = TypeVar("T", bound=Truth)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Findings sorted out by what they are about."""

    attacks: dict[HiddenAttack, list[Finding]]
    surprises: list[tuple[Finding, BenignSurprise]]
    decoys: list[tuple[Finding, Decoy]]
    unexplained: list[Finding]

    @property
    def missed(self) -> list[HiddenAttack]:
        """What should have been raised and was not."""
        return [attack for attack, findings in self.attacks.items() if not findings]

    @property
    def other_variation(self) -> list[HiddenAttack]:
        """What was raised, and not as the variation it was made for."""
        return [
            a for a, found in self.attacks.items() if found and all(str(f["variation"]) != a.variation for f in found)
        ]

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
    """Match findings with the truth by detection, deduplication key and time. A finding belongs to one truth: attacks
    first, and of several the one that was made for its variation."""
    outcome = Outcome({attack: [] for attack in attacks}, [], [], [])
    for finding in sorted(findings, key=lambda finding: _seconds(finding["first_time"])):
        attack, surprise = _match(finding, attacks), _match(finding, benign)
        decoy = _match(finding, decoys)
        if attack is not None:
            outcome.attacks[attack].append(finding)
        elif surprise is not None:
            outcome.surprises.append((finding, surprise))
        elif decoy is not None:
            outcome.decoys.append((finding, decoy))
        else:
            outcome.unexplained.append(finding)
    return outcome


def report(
    findings: Sequence[Finding],
    attacks: Sequence[HiddenAttack],
    benign: Sequence[BenignSurprise] = (),
    decoys: Sequence[Decoy] = (),
    *,
    width: int = 120,
    colour: bool = False,
) -> str:
    """A table for each detection and the one-line verdict. `*` stands before a hidden attack found as it was made, `!`
    before one that was missed or raised as another variation and before a false alarm, `-` before a silent decoy."""
    outcome = compare(findings, attacks, benign, decoys)
    page = _Page(max(width, MIN_WIDTH), colour)
    names = dict.fromkeys((*(t.detection for t in (*attacks, *decoys)), *(str(f["detection"]) for f in findings)))
    for detection in sorted(names):
        page.table(detection, outcome, [decoy for decoy in decoys if decoy.detection == detection])
    page.console.print(Text(summary(outcome)))
    return text(page.console)


def summary(outcome: Outcome) -> str:
    """A sentence: found, missed, found as something else, other alerts and why they came."""
    hidden = {attack.id for attack in outcome.attacks}
    missed = {attack.id for attack in outcome.missed}
    found = f"Hidden attacks (*): {len(hidden) - len(missed)} of {len(hidden)} found"
    if outcome.other_variation:
        found += ", as another variation: " + ", ".join(
            _misnamed(a, outcome.attacks[a]) for a in outcome.other_variation
        )
    elif len(missed) < len(hidden):
        found += ", each as the variation it was made for"
    parts = [found, _missed(outcome.missed)]
    reasons = []
    if outcome.surprises:
        causes = dict.fromkeys(surprise.id for _finding, surprise in outcome.surprises)
        reasons.append(f"{len(outcome.surprises)} truly a first time but harmless ({', '.join(causes)})")
    if outcome.decoys:
        alarms = dict.fromkeys(decoy.id for _finding, decoy in outcome.decoys)
        reasons.append(f"{len(outcome.decoys)} about decoys that should have stayed silent ({', '.join(alarms)})")
    if outcome.unexplained:
        reasons.append(f"{len(outcome.unexplained)} unexplained")
    others = f"{outcome.others} other alert{'' if outcome.others == 1 else 's'}"
    parts.append(others + (": " + ", ".join(reasons) if reasons else ""))
    return "; ".join(parts) + "."


def terminal(stream: TextIO) -> tuple[int, bool]:
    """(width, colour) for a stream: the terminal's width and colour, or 120 columns without when it is none."""
    console = on(stream)
    return console.width, console.is_terminal


class _Page:
    """The report as it comes."""

    def __init__(self, width: int, colour: bool) -> None:
        self.console = drawn(width, colour)

    def table(self, detection: str, outcome: Outcome, decoys: Sequence[Decoy]) -> None:
        """What became of one detection: by variation the alerts in order of time, then the decoys."""
        attacks = {attack: found for attack, found in outcome.attacks.items() if attack.detection == detection}
        alarms = [(finding, decoy) for finding, decoy in outcome.decoys if decoy.detection == detection]
        missed = [attack for attack, found in attacks.items() if not found]
        hidden, lost = {attack.id for attack in attacks}, {attack.id for attack in missed}
        silent = [decoy for decoy in decoys if decoy not in [about for _finding, about in alarms]]
        title = f"{detection}: {len(hidden) - len(lost)} of {len(hidden)} hidden attacks found"
        self._say(f"{title}, {len(silent)} of {len(decoys)} decoys silent", style="bold")
        raised: list[tuple[Finding, Optional[Truth]]] = [(f, a) for a, found in attacks.items() for f in found]
        raised += [(finding, surprise) for finding, surprise in outcome.surprises if surprise.detection == detection]
        raised += [*alarms, *((finding, None) for finding in outcome.unexplained if finding["detection"] == detection)]
        raised.sort(key=lambda one: _seconds(one[0]["first_time"]))
        heads: Sequence[str] = _HEADS
        for variation in get(detection).all_variations:
            rows = [_row(*one) for one in raised if str(one[0]["variation"]) == variation.id]
            rows += [_missing(attack) for attack in missed if attack.variation == variation.id]
            if rows:
                self._heading(variation)
                self.console.print(grid(heads, rows))
                heads = [""] * len(_HEADS)
        if silent:
            self._say("\nSilent, as they should be")
            rows = [("-", _clock(decoy.first_time), Text(f"{decoy.title}: {decoy.why}.")) for decoy in silent]
            self.console.print(grid([""] * len(_HEADS), rows))
        self.console.print()

    def _say(self, words: str, style: str = "") -> None:
        self.console.print(Text(words, style=style))

    def _heading(self, variation: Variation) -> None:
        severity = _SHORT.get(variation.severity, variation.severity)
        shaded = (severity, COLOURS.get(variation.severity, ""))
        self.console.print(Text.assemble(f"\n{variation.id}, ", shaded, f": {variation.name}"))


Row = tuple[str, str, Text]


def _row(finding: Finding, truth: Optional[Truth]) -> Row:
    who = _who(str(finding["detection"]), finding["key"], str(finding["identity"]))
    title = truth.title if truth is not None else "not explained by anything that was generated"
    mark = "!"
    if isinstance(truth, BenignSurprise):
        mark, title = " ", f"harmless: {title}"
    elif isinstance(truth, Decoy):
        title = f"FALSE ALARM: {title}"
    elif isinstance(truth, HiddenAttack) and truth.variation == finding["variation"]:
        mark = "*"
    elif isinstance(truth, HiddenAttack):
        title = f"MADE FOR {truth.variation}: {title}"
    more = f"{title}. {finding.get('explanation') or ''}"
    return mark, _clock(finding["first_time"]), _told(who, _rest(finding["key"], who), more)


def _missing(attack: HiddenAttack) -> Row:
    who = _who(attack.detection, attack.key, attack.identity)
    more = f"MISSED: {attack.title}; {attack.why}."
    return "!", _clock(attack.first_time), _told(who, _rest(attack.key, who), more)


def _told(who: str, what: str, more: str) -> Text:
    return Text.assemble((_arn(f"{who}  {what}".rstrip()), "bold"), "\n", _arn(more.rstrip()))


def _missed(missed: Sequence[HiddenAttack]) -> str:
    if not missed:
        return "0 missed"
    told = ", ".join(f"{attack.id}: {attack.detection} {attack.variation} about {attack.about}" for attack in missed)
    return f"{len(missed)} missed ({told})"


def _misnamed(attack: HiddenAttack, found: Sequence[Finding]) -> str:
    raised = ", ".join(dict.fromkeys(str(finding["variation"]) for finding in found))
    return f"{attack.id} ({raised} instead of {attack.variation})"


def _match(finding: Finding, truths: Sequence[T]) -> Optional[T]:
    """The truth this finding is about: same detection and key (`ANY`: whatever it is), overlapping in time."""
    detection, key = finding["detection"], tuple(finding["key"])
    first, last = _seconds(finding["first_time"]), _seconds(finding.get("last_time") or finding["first_time"])
    about = [
        truth
        for truth in truths
        if truth.detection == detection
        and all(known in (ANY, found) for known, found in zip(truth.key, key))
        and first <= truth.last_time + SLACK
        and last >= truth.first_time - SLACK
    ]
    made_for_it = [truth for truth in about if truth.variation == str(finding["variation"])]
    return next(iter((*made_for_it, *about)), None)


def _who(detection: str, key: Sequence[str], identity: str) -> str:
    """Whose doing it was: the detection's entity; of a project's, the identity in it."""
    entity = get(detection).entity
    return identity if entity == "project" else key[get(detection).deduplicate_by.index(entity)]


def _rest(key: Sequence[str], who: str) -> str:
    """What a deduplication key names beside who it was."""
    return " ".join(part for part in key if part not in (who, ANY, ABSENT))


def _arn(text: str) -> str:
    return text.replace("arn:aws:iam::", "aws:")


def _seconds(value: object) -> float:
    """Epoch seconds of an ISO 8601 text (without a zone: UTC) or a number."""
    if isinstance(value, (int, float)):
        return float(value)
    time = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return (time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _clock(value: object) -> str:
    return f"{datetime.datetime.fromtimestamp(_seconds(value), datetime.timezone.utc):%m-%d %H:%M}"
