"""Cron expressions. Oracle: https://docs.splunk.com/Documentation/Splunk/latest/Alert/CronExpressions"""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from lab.cron import parse_cron
from lab.errors import LabError


def epoch(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc).timestamp())


TABLE = [
    # expression, after, the next three times
    ("*/15 * * * *", "2026-01-01 00:00", ["2026-01-01 00:15", "2026-01-01 00:30", "2026-01-01 00:45"]),
    ("5,20-40/10 * * * *", "2026-01-01 00:05", ["2026-01-01 00:20", "2026-01-01 00:30", "2026-01-01 00:40"]),
    ("00,20,40 * * * *", "2026-01-01 00:45", ["2026-01-01 01:00", "2026-01-01 01:20", "2026-01-01 01:40"]),
    ("0 */6 * * *", "2026-01-31 23:59", ["2026-02-01 00:00", "2026-02-01 06:00", "2026-02-01 12:00"]),
    ("0 9-12/2 * * *", "2026-01-01 10:00", ["2026-01-01 11:00", "2026-01-02 09:00", "2026-01-02 11:00"]),
    ("30 2 29 2 *", "2026-01-01 00:00", ["2028-02-29 02:30"]),
    ("0 0 31 * *", "2026-01-31 00:00", ["2026-03-31 00:00", "2026-05-31 00:00"]),
    ("0 12 * * 0", "2026-01-01 00:00", ["2026-01-04 12:00", "2026-01-11 12:00"]),  # Sundays
    ("0 0 1 * 1", "2026-06-01 00:00", ["2026-06-08 00:00", "2026-06-15 00:00"]),  # the 1st or a Monday
    ("15 10-11 1-7 12 *", "2026-12-07 10:30", ["2026-12-07 11:15", "2027-12-01 10:15"]),
    ("50/5 * * * *", "2026-01-01 00:51", ["2026-01-01 00:55", "2026-01-01 01:50"]),
]


@pytest.mark.parametrize(("text", "after", "expected"), TABLE)
def test_next_times(text: str, after: str, expected: list[str]) -> None:
    cron, moment = parse_cron(text), epoch(after)
    found = []
    for _ in expected:
        moment = cron.next(moment)
        found.append(datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M"))
    assert found == expected


def test_times_are_after_start_up_to_and_with_end() -> None:
    cron = parse_cron("*/20 * * * *")
    start = epoch("2026-01-01 23:40")
    assert list(cron.times(start, start + 3600)) == [start + 1200, start + 2400, start + 3600]
    assert list(cron.times(start - 1, start)) == [start]
    assert list(cron.times(start + 0.5, start + 1199.5)) == []
    assert list(cron.times(start, start - 86400)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("* * * *", "has 4 fields"),
        ("60 * * * *", "minute '60' is outside 0-59"),
        ("* 5-2 * * *", "hour '5-2' is outside 0-23"),
        ("* * 0 * *", "day of month '0' is outside 1-31"),
        ("* * * 13 *", "month '13' is outside 1-12"),
        ("* * * * 7", "day of week '7' is outside 0-6"),
        ("* * * jan *", "month 'jan' is not a number"),
        ("* * * * MON", "day of week 'MON' is not a number"),
        ("*/0 * * * *", "no step of 1 or more"),
        ("*/ * * * *", "no step of 1 or more"),
        ("1,,2 * * * *", "minute '' is not a number"),
        ("-5 * * * *", "minute '-5' is not a number"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse_cron(text)


def test_a_date_that_never_comes() -> None:
    with pytest.raises(LabError, match=r"never comes due"):
        parse_cron("0 0 30 2 *").next(0)
