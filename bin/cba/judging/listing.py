"""Histories as rows for a person: `cbahistory` and the entity page."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, NamedTuple, Optional

from ..detection.model import Detection
from ..history.days import RETENTION_DAYS
from ..history.history import History, Subject, Terms, observations, view
from ..terms import date_text


class Reading(NamedTuple):
    """How a history is read: with which terms, from which day on its source counts as active, and how many values a
    day it names at most."""

    terms: Terms
    activation_day: int
    limit: Optional[int]


def list_histories(
    histories: Mapping[Subject, History],
    readings: Mapping[str, Reading],
    verdicts: Mapping[Subject, Mapping[str, str]],
    day: int,
    days_after: int = 0,
) -> Iterator[dict[str, object]]:
    """One row per value as known at the start of `day`: profile, entity, value, first and last day (ISO dates), days in
    the training period (how many, and which: ISO dates separated by blanks) and in the retention, established and
    trained as 0 or 1, an analyst's verdict on the value, and the day itself (`as_of`).

    `readings` says per profile how it is read. With `days_after` also which of so many days, from `day` on, the value
    was seen on (`days_since`), and values that were seen then only.
    """
    for subject, history in sorted(histories.items()):
        reading = readings.get(subject.profile, Reading(Terms(), day + Terms().activation, None))
        terms, decided = reading.terms, verdicts.get(subject, {})
        seen = view(history, day, reading.activation_day, terms, decided, reading.limit)
        for value, days in observations(history):
            since = " ".join(str(date_text(d)) for d in range(day, day + days_after) if days.has(d))
            if days.first >= day and not since:
                continue
            yield {
                "profile": subject.profile,
                "entity": subject.entity,
                "value": value,
                "first_day": date_text(days.first),
                "last_day": date_text(days.last_before(day)),
                "days_training": days.days_seen(day - terms.training, day - 1),
                "days": " ".join(str(date_text(d)) for d in range(day - terms.training, day) if days.has(d)),
                "days_retained": days.days_seen(day - RETENTION_DAYS, day - 1),
                "established": int(value in seen.established),
                "trained": int(seen.trained),
                "verdict": decided.get(value, ""),
                "active_days": seen.active_days,
                "as_of": date_text(day),
                **({"days_since": since} if days_after else {}),
            }


def readings_of(detections: Iterable[Detection], first_days: Mapping[str, int], day: int) -> dict[str, Reading]:
    """How the profiles are read that these detections ask, each as the first of them reads it.

    Histories do not know which source fed them; a value that was seen before *every* source of the detection was active
    counts as early, as it would for each of them. `first_days`: source -> the first day on which it delivered events.
    """
    readings: dict[str, Reading] = {}
    for detection in detections:
        starts = [first_days[source] for source in detection.sources if source in first_days]
        activation_day = min(starts, default=day) + detection.terms.activation
        for profile in detection.asked:
            readings.setdefault(profile.name, Reading(detection.terms, activation_day, profile.names_a_day))
    return readings


def of_finding(
    rows: Iterable[dict[str, object]], finding: Mapping[str, object], detection: Detection | None
) -> list[dict[str, object]]:
    """The rows with `of_finding`: 1 where the value is the one that the finding has in a profile of its detection. What
    the detection compares with comes first, of that what is the finding's own.
    """
    compared: dict[str, str] = {}
    if detection is not None:
        compared = {profile.name: profile.dimension for profile in detection.asked}

    def own(row: dict[str, object]) -> int:
        dimension = compared.get(str(row["profile"]))
        return int(dimension is not None and str(finding.get(dimension)) == row["value"])

    marked = [{**row, "of_finding": own(row)} for row in rows]
    return sorted(marked, key=lambda row: (row["profile"] not in compared, -int(str(row["of_finding"]))))
