"""Events far away in time from all others: of a clock that was wrong, or a time that was misread.

A replay goes through every day from the first event to the last, so one event of another decade makes it run for ages.
Such events are set aside. Two years of real logs with years between them are not: what is few decides, not what is far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Optional, Sequence

from lab.export import iso

DAY = 86_400
APART = 366 * DAY
"""Time without any event that parts what is before it from what is after it."""
FEW = 0.01
"""Share of the events up to which a group of them is stray; a single event is, too, wherever another group has more."""
FEW_TOGETHER = 0.1
"""Share of the events that all stray groups have at most: logs that consist of nothing else are left as they are."""


@dataclass(frozen=True)
class Group:
    """Events without a long time between them: the first and last time, and how many."""

    first: float
    last: float
    count: int

    @property
    def days(self) -> str:
        first, last = iso(self.first)[:10], iso(self.last)[:10]
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True)
class Kept:
    """What is replayed, as a range of times (both included), and a sentence for each thing worth knowing of it."""

    first: float
    last: float
    said: tuple[str, ...] = ()


def groups(times: Iterable[float]) -> list[Group]:
    """In order of time."""
    found: list[Group] = []
    first: Optional[float] = None
    before, count = 0.0, 0
    for time in sorted(times):
        if first is None:
            first = time
        elif time - before > APART:
            found.append(Group(first, before, count))
            first, count = time, 0
        before, count = time, count + 1
    if first is not None:
        found.append(Group(first, before, count))
    return found


def kept(times: Iterable[float], since: bool = False, until: bool = False) -> Kept:
    """Which of at least one event are replayed; whoever says `since` (`until`) means what is early (late), too."""
    found = groups(times)
    low, high = _kept(found)
    low, high = (0 if since else low), (len(found) if until else high)
    mine = found[low:high]
    said = [*_early(found[:low], mine), *_late(found[high:], mine), *_between(mine)]
    return Kept(mine[0].first, mine[-1].last, tuple(said))


def _kept(found: Sequence[Group]) -> tuple[int, int]:
    """The groups from the first that is not stray to the last, as a slice."""
    total = sum(group.count for group in found)
    most = max(found, key=lambda group: (group.count, group.first))
    stray = [group is not most and group.count <= max(1, FEW * total) for group in found]
    together = [group.count for group, is_stray in zip(found, stray) if is_stray]
    if len(together) > 1 and sum(together) > FEW_TOGETHER * total:
        return 0, len(found)
    return stray.index(False), len(stray) - stray[::-1].index(False)


def _early(stray: Sequence[Group], mine: Sequence[Group]) -> Iterator[str]:
    if stray:
        years = (mine[0].first - stray[-1].last) / (365.25 * DAY)
        yield _sentence(stray, mine, years, f"--since {iso(stray[0].first)[:10]}")


def _late(stray: Sequence[Group], mine: Sequence[Group]) -> Iterator[str]:
    if stray:
        years = (stray[0].first - mine[-1].last) / (365.25 * DAY)
        yield _sentence(stray, mine, years, f"--until {iso(stray[-1].last + DAY)[:10]}")


def _sentence(stray: Sequence[Group], mine: Sequence[Group], years: float, option: str) -> str:
    gone = Group(stray[0].first, stray[-1].last, sum(group.count for group in stray))
    rest = Group(mine[0].first, mine[-1].last, sum(group.count for group in mine))
    one = gone.count == 1
    return (
        f"set aside: {gone.count:,} event{'' if one else 's'} of {gone.days}, {years:.0f} years away from the other "
        f"{rest.count:,} ({rest.days}), because a replay goes through every day between; {option} replays "
        f"{'it' if one else 'them'} all the same"
    )


def _between(mine: Sequence[Group]) -> Iterator[str]:
    for before, after in zip(mine, mine[1:]):
        days = int((after.first - before.last) // DAY)
        yield (
            f"no event from {iso(before.last)[:10]} to {iso(after.first)[:10]}: the replay goes through these "
            f"{days:,} days all the same; --since or --until leave one side out"
        )
