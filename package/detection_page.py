"""docs/detections/<id>.md: what an alert means, when it is raised, on what evidence, and what nobody can see."""

from __future__ import annotations

import textwrap
from typing import Iterator, Sequence

from shapes import CORE
from source_fields import PLACED
from words import in_words, name

from cba.detection.model import BASE, UNTRAINED_HOME, Detection, SignalKind, Variation, source_search, variation_search
from cba.judging.rows import GEO_FIELDS


def doc_page(detection: Detection, generated: str) -> str:
    """The page of a detection; `generated` says at its top that it is."""
    sections = (
        _head(detection, generated),
        _when(detection),
        _evidence(detection),
        _section("What an attacker wants with it", [str(detection.document["attackers_goals"]).strip()]),
        _section("What to look at", _bullets(detection.document["investigative_actions"])),
        _section("Known false positives", _bullets(detection.document["false_positives"])),
        _tuning(detection),
        _section("What the logs cannot show", _bullets(detection.document.get("limits_of_logs", []))),
        _as_written(detection),
        _section("Its searches", _searches(detection)),
    )
    return "\n".join(line for section in sections for line in section)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def _bullets(texts: Sequence[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _head(detection: Detection, generated: str) -> list[str]:
    periods = detection.periods
    return [
        f"# {detection.name}",
        "",
        f"<!-- {generated} -->",
        "",
        str(detection.document["description"]).strip(),
        "",
        "| | |",
        "|---|---|",
        f"| id | `{detection.id}` |",
        f"| severity | {detection.severity} (base) |",
        f"| ATT&CK | {', '.join(detection.tactics + detection.techniques)} |",
        f"| sources | {', '.join(detection.sources)} |",
        f"| activation period | {_plural(periods.activation)} |",
        f"| training period | {_plural(periods.training)} |",
        f"| deduplication period | {_plural(periods.deduplication)} by {', '.join(detection.deduplicate_by)} |",
        f"| asks | {', '.join(f'{profile.scope} × {profile.dimension}' for profile in detection.asked)} |",
        "",
    ]


def _when(detection: Detection) -> list[str]:
    names = {signal.id: signal.name for signal in detection.signals}
    rows = (
        f"| {_label(variation)}: {variation.name} | {variation.severity} | {_case(variation, names)} |"
        for variation in detection.all_variations
    )
    return _section(
        "When it is raised",
        [
            *_wrapped(f"When {in_words(detection.when, names)}. {_condition_of_all(detection)}"),
            "",
            *_chain(detection, names),
            "| variation | severity | raised when, besides |",
            "|---|---|---|",
            *rows,
            "",
            *_wrapped(
                "All variations are evaluated, and one is raised: of those that match and are no downgrades the most "
                "severe, ties in listed order; else a matching downgrade; else the base variation. *New* asks the "
                f"narrowest trained scope from the one named outwards: {' → '.join(detection.scopes)}. The same "
                f"behaviour is raised once in {_plural(detection.periods.deduplication)} and counted meanwhile; a more "
                "severe variation breaks through."
            ),
        ],
    )


def _case(variation: Variation, names: dict[str, str]) -> str:
    return in_words(variation.when, names) if variation.when is not None else "none of the others"


def _condition_of_all(detection: Detection) -> str:
    needed = f"The source must have {_plural(detection.periods.activation)} of data"
    if detection.untrained_is_new:
        return f"{needed}; what nobody has a history of is new."
    if detection.untrained == UNTRAINED_HOME:
        return f"{needed}; where nobody is trained to be compared with, the home region of the workload is."
    return f"{needed}, and somebody must be trained to be compared with."


def _chain(detection: Detection, names: dict[str, str]) -> list[str]:
    """The steps of a chain and what joins them."""
    if not detection.signals:
        return []
    opening = detection.signals[0].name
    return [
        *_wrapped(
            f"A chain begins with *{opening}*; the other steps belong to it that lie within TimeWindow (a "
            "setting, 24 hours as shipped) before or after it and concern the same "
            f"{_listed([joined.partition('_')[2] for joined in detection.joined_by])}."
        ),
        "",
        "| step | is |",
        "|---|---|",
        *(f"| *{signal.name}* | {in_words(signal.when, names)}{_extent(signal)} |" for signal in detection.signals),
        "",
    ]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _evidence(detection: Detection) -> list[str]:
    scopes = dict.fromkeys(profile.scope for profile in detection.asked)
    of = {scope: [name(profile.dimension) for profile in detection.asked if profile.scope == scope] for scope in scopes}
    asked = (f"| {scope} | {', '.join(dimensions)} |" for scope, dimensions in of.items())
    said = [f"The explanation adds: {' '.join(f'“{remark}”' for remark in detection.remarks)}", ""]
    kept = dict.fromkeys((*CORE, *(GEO_FIELDS if set(detection.sources) & PLACED else ()), *detection.fields))
    shown = ", ".join(f"`{field}`" for field in kept if field not in _INTERNAL)
    return _section(
        "Evidence",
        [
            *_wrapped(
                "A finding keeps what its value was compared with, as of the day of the event: whether it was new, on "
                "how many days of the training period it had been seen, how many values were established and which, "
                "and on how many days there was any activity."
            ),
            "",
            "| history of the | of |",
            "|---|---|",
            *asked,
            "",
            *(said if detection.remarks else []),
            *_wrapped(
                f"Beside that: {shown}; first and last event, their number, and for each quarter of an hour how many "
                "there were."
            ),
        ],
    )


_INTERNAL = frozenset({"signal_kind", "signal_what", "judged_outcome", "source_kind", "resource_scope", "ip_scope"})
"""Fields that a finding keeps for the commands."""


def _tuning(detection: Detection) -> list[str]:
    return _section(
        "Tuning",
        [
            *_bullets(detection.document.get("tuning", [])),
            "- One finding that is fine, and will come again: a [verdict](../triage.md#verdicts).",
            "- Periods and thresholds: Configuration > Detections; try them on the page Tuning ([how](../tuning.md)).",
            "- A variation nobody needs as an alert: leave its saved search (below) disabled. The finding is kept.",
        ],
    )


def _as_written(detection: Detection) -> list[str]:
    """The conditions themselves, as in the YAML."""
    rows = (
        f"| `{variation_search(detection, variation)}` | {'' if variation.id == BASE else variation.kind} "
        f"| {f'`{variation.when}`' if variation.when is not None else ''} |"
        for variation in detection.all_variations
    )
    return _section(
        "The conditions as written",
        [
            f"Of all: `{detection.when}`",
            "",
            *_signals_as_written(detection.signals),
            "| saved search | kind | condition |",
            "|---|---|---|",
            *rows,
        ],
    )


def _searches(detection: Detection) -> list[str]:
    """What has to be on for it."""
    judges = ", ".join(f"`{source_search(source, 'Judge')}`" for source in detection.sources)
    condition = f" Its candidates are the events with `{detection.candidates}`." if detection.candidates else ""
    return _wrapped(
        f"Judged by {judges}, which read each event once for all detections.{condition} Each variation has a saved "
        "search of its own that raises its findings as alerts, named above."
    )


def _signals_as_written(signals: Sequence[SignalKind]) -> Iterator[str]:
    if signals:
        yield from ("| step | | condition |", "|---|---|---|")
        yield from (f"| {signal.id} | {signal.name} | `{signal.when}` |" for signal in signals)
        yield ""


def _extent(signal: SignalKind) -> str:
    said = [f"{signal.times} times within {signal.within} seconds"] if signal.times > 1 else []
    said += [f"by another {signal.apart} than the first step's"] if signal.apart else []
    return f" ({'; '.join(said)})" if said else ""


def _plural(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _label(variation: Variation) -> str:
    return "base" if variation.id == BASE else variation.id[1:]
