"""The bench's tables in Markdown, as they are printed and as they stand in docs/performance.md: every figure beside
what it is compared with."""

from __future__ import annotations

from typing import Iterable, Mapping, Optional, Sequence

from marked import table

from bench.arithmetic import Summary
from bench.commands import Result
from bench.driver import CHUNK_ROWS, Measurement
from bench.inventions import Invention
from bench.lookups import Lookup
from bench.reading import Reading
from bench.replay import CADENCE, DAYS, Replayed
from bench.scale import Batch, Stored, batch
from bench.storms import Peak

AIM_MEMORY, AIM_REPLAY_MEMORY = 150, 1000
"""Megabytes: of a command, and of a replay with its second process."""
AIM_HISTORY = 250
AIM_SCALE = 1.2
"""A batch among a million entities, beside one among ten thousand."""
RUNS_A_DAY = 96
AIM_READS, AIM_CHARACTERS, AIM_WIDTH = 1.5, 20_000, 3
"""The most of each."""
AIM_REPLAY = {200_000: 30.0, 1_000_000: 60.0}
MEGABYTE = 1_000_000
SHOWN_PROFILES = 8


def spread(summary: Summary, digits: int = 0) -> str:
    """The median, and the lowest and the highest."""
    if summary.low == summary.high:
        return f"{summary.median:,.{digits}f}"
    return f"{summary.median:,.{digits}f} ({summary.low:,.{digits}f}–{summary.high:,.{digits}f})"


def commands(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        case = result.case
        name = f"`{case.command}`{case.name[len(case.command) :]}"
        aim = "–" if case.aim is None else f"{case.aim:g}"
        rows.append([
            name, f"{len(case.rows):,}", spread(result.speed), spread(result.echo_speed), spread(result.ratio, 2), aim,
            _megabytes(result.ours), _megabytes(result.echo), f"{result.bytes_per_row:.0f}",
            f"{1000 * Summary.of([m.start_seconds for m in result.ours]).median:.0f}",
        ])  # fmt: skip
    header = (
        "command", "rows", "rows/s", "SDK echo, rows/s", "ratio", "aim", "peak memory, MB", "the echo's", "bytes/row",
        "start, ms",
    )  # fmt: skip
    about = (
        f"Chunks of {CHUNK_ROWS:,} rows; medians of {len(results[0].ours)} pairs with the echo (lowest–highest); "
        f"{AIM_MEMORY} MB at most."
    )
    different = [
        f"`{result.case.name}`: " + ", ".join(f"{number:,} {name}" for name, number in result.distinct.items())
        for result in results
    ]
    return f"{about}\n\n{table(header, rows)}\n\nDifferent values: {'; '.join(different)}.\n"


def reads(shipped: Iterable[Reading], many: Iterable[Reading], detections: int) -> str:
    """The readings with the shipped detections, and with so many."""
    more = {each.source: each for each in many}
    rows = []
    for each in shipped:
        other = more[each.source]
        rows.append([
            each.source, f"{each.events:,}", f"{each.reads_per_event:.2f}", f"{each.characters:,}", f"{each.rows:,}",
            f"{each.width:.2f}", f"{other.reads_per_event:.2f}", f"{other.characters:,}", f"{other.width:.2f}",
        ])  # fmt: skip
    header = (
        "source", "events", f"reads per event, of {AIM_READS}", f"characters of the search, of {AIM_CHARACTERS:,}",
        "rows", f"width, of {AIM_WIDTH}", f"with {detections} detections: reads", "characters", "width",
    )  # fmt: skip
    return table(header, rows)


def replayed(results: Sequence[Replayed]) -> str:
    """Replays of equally many events: medians."""
    events = results[0].events
    seconds = Summary.of([each.seconds for each in results])
    aim = next((aim for size, aim in AIM_REPLAY.items() if abs(events - size) <= size / 100), None)
    beside = "" if aim is None else f", {seconds.median / aim:.2f} of the {aim:.0f} s that are aimed at"
    of_runs = f"the median of {len(results)}" if len(results) > 1 else "one run"
    own, second = (max(each.memory[k] for each in results) / MEGABYTE for k in (0, 1))
    about = (
        f"{events:,} events, {DAYS} days, cadence {CADENCE}, all scheduled searches: **{spread(seconds, 1)} s** "
        f"({of_runs}){beside}; {events / seconds.median:,.0f} events/s; {own:.0f} MB in the process and "
        f"at most {second:.0f} MB in the second one, together {(own + second) / AIM_REPLAY_MEMORY:.2f} of the gigabyte "
        f"that is aimed at. {results[0].dispatches:,} searches, {results[0].reduced_rows:,} reduced rows, "
        f"{results[0].findings:,} findings."
    )
    rows = []
    for part in results[0].parts:
        spent = Summary.of([each.parts[part] for each in results])
        rows.append([part, spread(spent, 1), f"{spent.median / seconds.median:.0%}"])
    return f"{about}\n\n{table(('part', 'seconds', 'share'), rows)}"


def stored(sizes: Mapping[str, tuple[int, Summary]]) -> str:
    """The profiles with most documents, and all."""
    chosen = sorted(sizes, key=lambda profile: -sizes[profile][0])[: SHOWN_PROFILES + 1]
    rows = [
        [
            f"`{profile}`" if profile else "all",
            f"{count:,}",
            spread(size),
            f"{size.median / AIM_HISTORY:.2f}",
        ]
        for profile, (count, size) in ((profile, sizes[profile]) for profile in chosen)
    ]
    header = ("profile", "documents", "bytes each", f"of {AIM_HISTORY}")
    return table(header, rows)


def storms(peaks: Sequence[Sequence[Peak]]) -> str:
    """The same storms once or several times: the highest peak."""
    rows = []
    for same in zip(*peaks):
        storm = same[0].storm
        held = [peak.memory for peak in same if peak.memory is not None]
        most = max(held) / MEGABYTE if held else None
        rows.append([
            f"{len(storm.rows):,} rows: {storm.name}", f"`{storm.command}`",
            "?" if most is None else f"{most:.0f}", "?" if most is None else f"{most / AIM_MEMORY:.2f}",
            spread(Summary.of([peak.seconds for peak in same]), 1),
        ])  # fmt: skip
    return table(("storm", "command", "peak memory, MB", f"of {AIM_MEMORY}", "seconds"), rows)


def _megabytes(measurements: Sequence[Measurement]) -> str:
    peaks: list[Optional[int]] = [m.peak_bytes for m in measurements]
    known = [peak for peak in peaks if peak is not None]
    return f"{max(known) / MEGABYTE:.0f}" if known else "?"


def scaled(batches: Sequence[Batch]) -> str:
    """Each figure with its ratio to the smallest number of entities."""
    first: dict[str, Batch] = {}
    rows = []
    for one in batches:
        base = first.setdefault(one.source, one)
        rows.append([
            one.source, f"{one.entities:,}", spread(one.seconds, 2),
            f"{one.seconds.median / base.seconds.median:.2f}", spread(one.requests),
            f"{one.bytes_moved.median / 1000:,.0f}",
            f"{one.bytes_moved.median / base.bytes_moved.median:.2f}",
            f"{one.peak_bytes.high / MEGABYTE:.0f}", f"{one.peak_bytes.high / MEGABYTE / AIM_MEMORY:.2f}",
        ])  # fmt: skip
    header = (
        "source", "entities", "seconds a batch", f"ratio, of {AIM_SCALE}", "KV requests", "KB moved", "ratio",
        "peak memory, MB", f"of {AIM_MEMORY}",
    )  # fmt: skip
    return table(header, rows)


def remembered(stored: Sequence[Stored]) -> str:
    rows = [
        [f"`{one.profile}`", f"{one.entities:,}", spread(one.bytes_each), f"{one.bytes_each.median / AIM_HISTORY:.2f}"]
        for one in stored
    ]
    return table(("profile", "entities", "bytes a document", f"of {AIM_HISTORY}"), rows)


def against(batches: Sequence[Batch], lookups: Sequence[Lookup]) -> str:
    """What people do today, beside a batch of ours over as many pairs: a run, and the 96 runs of a day."""
    ours = {one.entities: one for one in batches if one.source == "aws"}
    rows = []
    for one in lookups:
        mine = ours[one.pairs]
        touched = 2 * len({row["identity"] for row in batch("aws", one.pairs, 1)})
        moved = one.rows_read + one.rows_written
        rows.append([
            one.way, f"{one.pairs:,}", f"{one.rows_read:,}", f"{one.rows_written:,}", spread(one.seconds, 2),
            f"{RUNS_A_DAY * one.seconds.median:,.0f}", f"{touched:,}", spread(mine.seconds, 2),
            f"{RUNS_A_DAY * mine.seconds.median:,.0f}", f"{moved / touched:,.0f}",
            f"{one.seconds.median / mine.seconds.median:.1f}",
        ])  # fmt: skip
    header = (
        "way", "pairs", "rows read a run", "written", "seconds a run", "seconds a day",
        "ours: documents read and written", "seconds a run", "seconds a day", "theirs/ours, rows",
        "theirs/ours, seconds",
    )  # fmt: skip
    return table(header, rows)


def invented(inventions: Sequence[Invention]) -> str:
    rows = []
    for one in inventions:
        rows.append([
            one.kind, f"{one.values:,}", f"{one.first_seconds:.1f}", f"{one.last_seconds:.1f}",
            f"{one.last_seconds / one.first_seconds:.2f}",
            "?" if one.memory is None else f"{one.memory / MEGABYTE:.0f}", f"{one.documents:,}",
            f"{one.bytes / MEGABYTE:,.1f}", f"{one.bytes / one.values:.0f}",
        ])  # fmt: skip
    header = (
        "invented", "values", "seconds of the first run", "of the last", "ratio", "peak memory, MB", "documents kept",
        "MB kept", "bytes a value",
    )  # fmt: skip
    return table(header, rows)
