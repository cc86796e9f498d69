"""What may be forgotten: documents that nothing looks at any more.

Each is deleted by a condition that the store itself checks, so that a document to which a detection adds a day at the
same moment stays. Values inside histories that go on are forgotten by whoever learns (`history.remembered`).
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, NamedTuple

from .history.days import KEPT_DAYS
from .terms import SECONDS_PER_DAY, day_of

SIGNAL_DAYS = 30
"""How long signals are kept: beyond any TimeWindow and the deduplication period of a chain's findings."""
FINDING_DAYS = 400
"""How long findings are kept unless the user says otherwise: a year, and a month to look back at it."""
OUTLIVED_DAYS = 30
"""How much longer what belongs to a finding is kept, by a time of its own: no window or chain of events is longer."""


class Expired(NamedTuple):
    """A collection, the condition its expired documents meet, and the first UTC day that is kept."""

    collection: str
    query: Mapping[str, Any]
    kept_from: int


def expired(now: int, finding_days: int = FINDING_DAYS) -> Iterator[Expired]:
    """What is expired at `now` (epoch seconds)."""
    today = day_of(now)
    yield Expired("cba_history", {"last_day": {"$lt": today - KEPT_DAYS}}, today - KEPT_DAYS)
    yield Expired("cba_homes", {"last_day": {"$lt": today - KEPT_DAYS}}, today - KEPT_DAYS)
    for collection, field, days in (
        ("cba_signals", "first_time", SIGNAL_DAYS),
        ("cba_findings", "last_time", finding_days),
        ("cba_triage", "triaged_time", finding_days + OUTLIVED_DAYS),
        ("cba_alerts", "raised_time", finding_days + OUTLIVED_DAYS),
    ):
        yield Expired(collection, {field: {"$lt": (today - days) * SECONDS_PER_DAY}}, today - days)
