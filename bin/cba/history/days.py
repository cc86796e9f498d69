"""A set of UTC days, small enough to keep by the million: first day, last day, and a mask of the last hundred.

Days are integers, days since 1970-01-01 UTC (`floor(epoch seconds / 86400)`). Bit *i* of the mask stands for the
day `last - i`. A day counts for 90 days (the retention); the mask keeps ten more, so that a day can be judged again
with the same answer up to ten days later, whatever has been learned since.

Merging is a union of sets: idempotent, commutative and associative, which is what makes overlapping searches, re-runs
and crashes harmless.
"""

from __future__ import annotations

from typing import NamedTuple

RETENTION_DAYS = 90
KEPT_DAYS = RETENTION_DAYS + 10
_KEPT = (1 << KEPT_DAYS) - 1


class DaySet(NamedTuple):
    """Days on which something was seen: `first` ever, `last`, and `mask` (bit 0 = `last`, 100 bits)."""

    first: int
    last: int
    mask: int

    @classmethod
    def of(cls, day: int) -> DaySet:
        """The set with one day in it."""
        return cls(day, day, 1)

    def union(self, other: DaySet) -> DaySet:
        """Both sets together; days too long before the newer `last` are forgotten."""
        last = max(self.last, other.last)
        mask = (self.mask << (last - self.last)) | (other.mask << (last - other.last))
        return DaySet(min(self.first, other.first), last, mask & _KEPT)

    def has(self, day: int) -> bool:
        """Whether the day is in the set and still kept."""
        age = self.last - day
        return age >= 0 and bool(self.mask >> age & 1)

    def without(self, day: int) -> DaySet | None:
        """The set without a day that it has; None when that was its only one."""
        mask = self.mask & ~(1 << (self.last - day))
        if not mask:
            return None
        newest = (mask & -mask).bit_length() - 1
        mask >>= newest
        last = self.last - newest
        return DaySet(last - mask.bit_length() + 1 if self.first == day else self.first, last, mask)

    def between(self, earliest: int, latest: int) -> int:
        """The days `earliest … latest` (both included) as a mask whose bit 0 is `latest`; 0 when none."""
        if latest < earliest:
            return 0
        shift = self.last - latest
        mask = self.mask >> shift if shift >= 0 else self.mask << -shift
        return mask & ((1 << (latest - earliest + 1)) - 1)

    def days_seen(self, earliest: int, latest: int) -> int:
        """On how many of the days `earliest … latest` (both included) it was seen."""
        return popcount(self.between(earliest, latest))

    def last_before(self, day: int) -> int | None:
        """The latest retained day before `day`, or None: what was learned later does not show."""
        mask = self.between(day - RETENTION_DAYS, day - 1)
        if not mask:
            return None
        return day - 1 - ((mask & -mask).bit_length() - 1)

    def encode(self) -> str:
        """`first,last,mask` with the mask in hexadecimal: text, because KV store numbers lose bits beyond 2^53."""
        return f"{self.first},{self.last},{self.mask:x}"

    @classmethod
    def decode(cls, text: str) -> DaySet:
        """The inverse of `encode`. Raises ValueError on anything else."""
        first, last, mask = text.split(",")
        days = cls(int(first), int(last), int(mask, 16))
        if days.first > days.last or not days.mask & 1:
            raise ValueError(f"not a set of days: {text!r}")
        return days


def popcount(mask: int) -> int:
    """Number of set bits (`int.bit_count` needs Python 3.10)."""
    return bin(mask).count("1")
