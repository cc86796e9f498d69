"""The organization's raw logs as Splunk receives them: event time, delivery time, provider's own text.

organization = Organization(seed=7, days=45)
for event in events(organization):          # sorted by event time, day by day
    store.add(event)
"""

from __future__ import annotations

import dataclasses
import datetime
import gzip
import json
import random
import zlib
from itertools import accumulate, groupby
from pathlib import Path
from typing import Iterator

from lab.events import Event

from .attacks import story_steps
from .formats import aws, azure, gcp, kubernetes, m365, sysmon, workspace
from .formats.template import BITS, DAY, render
from .organization import Organization
from .story import Step

WEEKEND = 0.6
"""Volume of a Saturday or Sunday relative to a working day."""
DUPLICATE_SHARE = 0.004
"""Events delivered twice: every one of these inputs delivers at least once."""
DUPLICATE_DELAY = 240
"""Seconds until the second delivery; together with the longest delay below the late-data overlap."""

_SOURCE_OF_INDEX = {
    stream.index: stream.source_kind
    for stream in (aws.STREAM, azure.ACTIVITY, kubernetes.EKS, m365.STREAM, workspace.STREAM, sysmon.STREAM)
}


def quotas(organization: Organization) -> list[int]:
    """Events per day; they add up to exactly `days * events_per_day`."""
    first = organization.start.weekday()
    shares = [WEEKEND if (first + day) % 7 >= 5 else 1.0 for day in range(organization.days)]
    total, scale = organization.days * organization.events_per_day, sum(shares)
    ends = [round(total * part / scale) for part in accumulate(shares)]
    return [end - start for start, end in zip([0, *ends], ends)]


def events(organization: Organization, attacks: bool = True) -> Iterator[Event]:
    """All events, sorted by event time, deterministic. `attacks=False` leaves out the attacks.

    A day has its quota of events; more only when the least that everybody does (on a working day some 600 events)
    exceeds it.
    """
    steps: dict[int, list[Step]] = {}
    for step in (*organization.routine, *story_steps(organization, attacks)):
        steps.setdefault(step.day, []).append(step)
    for number, quota in enumerate(quotas(organization)):
        yield from _day(organization, number, quota, steps.get(number, []))


def _day(organization: Organization, number: int, quota: int, steps: list[Step]) -> Iterator[Event]:
    rng = random.Random(f"events/{organization.seed}/{number}")
    draw = rng.getrandbits
    slots = list(organization.slots(number, rng))
    duplicates = round(quota * DUPLICATE_SHARE)
    plan: list[tuple[int, int, int, int]] = []  # (second of the day, random bits, slot; below 0: step, which template)

    def add(index: int, together: int = 1) -> None:
        """So many events of a slot, of one template, within a minute or two."""
        slot, first = slots[index], draw(BITS)
        begins = slot.start + ((first >> 40 & 0xFFFF) * slot.length >> 16)
        for number in range(together):
            bits = draw(BITS) if number else first
            plan.append((min(begins + number * 60 // max(together, 60), DAY - 1), bits, index, first >> 60))

    for index, slot in enumerate(slots):
        for _ in range(slot.floor):
            add(index)
    missing = quota - duplicates - len(plan) - len(steps)
    if missing > 0:
        weights = list(accumulate(slot.weight for slot in slots))
        if organization.burst == 1:
            for index in rng.choices(range(len(slots)), cum_weights=weights, k=missing):
                add(index)
        while organization.burst > 1 and missing > 0:
            together = min(missing, round(rng.expovariate(1 / organization.burst)) + 1)
            add(rng.choices(range(len(slots)), cum_weights=weights)[0], together)
            missing -= together
    plan.extend((step.second, draw(BITS), -1 - position, 0) for position, step in enumerate(steps))
    plan.sort()

    day = organization.day(number)
    made: list[Event] = []
    for second, bits, index, choice in plan:
        if index >= 0:
            templates = slots[index].templates
            made.append(render(templates[choice % len(templates)], day, second, slots[index].address, bits))
        else:
            step = steps[-1 - index]
            event = render(step.template(organization), day, second, step.address, bits)
            if step.delay is not None:
                event.indextime = event.time + step.delay
            made.append(event)
    for event in rng.sample(made, min(duplicates, len(made))):
        made.append(dataclasses.replace(event, indextime=event.indextime + DUPLICATE_DELAY))
    made.sort(key=lambda event: event.time)
    yield from made


def write_files(organization: Organization, folder: Path, attacks: bool = True) -> dict[str, Path]:
    """Write the logs as the providers leave them on disk; returns source kind -> its folder under `folder`.

    aws: gzipped `{"Records": [...]}` per account and day, in CloudTrail's folders; m365: one content blob (a JSON
    array) per day; the others: JSON lines per day. Duplicates are left out (a provider's file has an event once).
    """
    written: dict[str, Path] = {}
    for date, group in groupby(events(organization, attacks), key=lambda event: int(event.time // DAY)):
        day = datetime.datetime.fromtimestamp(date * DAY, datetime.timezone.utc).date()
        files: dict[tuple[str, str], dict[str, None]] = {}
        for event in group:
            source = source_kind(event)
            account = json.loads(event.raw)["recipientAccountId"] if source == "aws" else ""
            files.setdefault((source, account), {})[event.raw] = None
        for (source, account), lines in files.items():
            root = written.setdefault(source, folder / source)
            if source == "aws":
                path = root / "AWSLogs" / account / "CloudTrail" / "eu-west-1" / f"{day:%Y/%m/%d}"
                unique = zlib.crc32(f"{account}/{day}".encode())
                name = f"{account}_CloudTrail_eu-west-1_{day:%Y%m%d}T2355Z_{unique:016x}.json.gz"
                _write(path / name, '{"Records":[' + ",".join(lines) + "]}")
            elif source == "m365":
                _write(root / f"{day}.json", "[" + ",".join(lines) + "]")
            else:
                _write(root / f"{day}.jsonl", "\n".join(lines) + "\n")
    return written


def source_kind(event: Event) -> str:
    """The source (`aws` … `gws`) an event of this generator belongs to."""
    if event.sourcetype == gcp.STREAM.sourcetype:
        return "kubernetes" if '"serviceName":"k8s.io"' in event.raw else "gcp"
    return _SOURCE_OF_INDEX[event.index]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    # mtime 0: the same logs give the same bytes.
    path.write_bytes(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)
