"""The bench's tables as text, each beside the aim it is held to."""

from __future__ import annotations

from typing import Mapping, Optional, Sequence

from bench.arithmetic import Summary
from bench.commands import Result
from bench.driver import CHUNK_ROWS, Measurement
from bench.replay import CADENCE, DAYS, Replayed
from bench.storms import Peak

AIMS = {"cbageo": 150_000, "cbascore": 100_000}
"""Rows a second on one core."""
AIM_RATIO = 0.7
AIM_MEMORY = 150
AIM_HISTORY = 250
AIM_REPLAY = {200_000: 30.0, 1_000_000: 60.0}
MEGABYTE = 1_000_000


def commands(results: Sequence[Result]) -> str:
    lines = [
        f"Commands through the chunked protocol, {CHUNK_ROWS:,} rows a chunk; median (lowest-highest) of "
        f"{len(results[0].ours)} pairs with an SDK echo of the same rows and fields",
        "",
        _row("", "rows/s", "echo rows/s", "ratio", "MB", "echo MB", "start ms", "rows", "bytes/row"),
    ]
    for result in results:
        lines.append(
            _row(
                result.case.name,
                _thousands(result.speed),
                _thousands(result.echo_speed),
                f"{result.ratio.median:.2f} ({result.ratio.low:.2f}-{result.ratio.high:.2f})",
                _megabytes(result.ours),
                _megabytes(result.echo),
                f"{1000 * Summary.of([m.start_seconds for m in result.ours]).median:.0f}",
                f"{len(result.case.rows):,}",
                f"{result.bytes_per_row:.0f}",
            )
        )
    lines.append("")
    for result in results:
        counted = ", ".join(f"{number:,} {name}" for name, number in result.distinct.items())
        lines.append(f"  {result.case.name}: different values: {counted}")
    aims = ", ".join(f"{name} {speed:,} rows/s" for name, speed in AIMS.items())
    lines.append(f"Aims: {aims}, both {AIM_RATIO} of the echo or more; {AIM_MEMORY} MB or less.")
    return "\n".join(lines) + "\n"


def replayed(result: Replayed) -> str:
    seconds = result.seconds
    lines = [
        f"Replay of {result.events:,} events, {DAYS} days, cadence {CADENCE}, all scheduled searches: {seconds:.1f} s, "
        f"{result.events / seconds:,.0f} events/s",
        f"  {result.dispatches:,} searches, {result.reduced_rows:,} reduced rows, {result.findings:,} findings",
    ]
    lines += [f"  {name:<28} {spent:6.1f} s {spent / seconds:5.0%}" for name, spent in result.parts.items()]
    aim = next((aim for size, aim in AIM_REPLAY.items() if abs(result.events - size) <= size / 100), None)
    if aim is not None:
        lines.append(f"Aim: {aim:.0f} s or less on 2 cores.")
    return "\n".join(lines) + "\n"


def stored(sizes: Mapping[str, tuple[int, Summary]]) -> str:
    lines = ["KV store, bytes a history (one document per profile and entity): median (smallest-largest)"]
    for profile, (count, size) in sizes.items():
        lines.append(
            f"  {profile or 'all':<28} {size.median:6.0f} ({size.low:.0f}-{size.high:.0f})  {count:,} documents"
        )
    lines.append(f"Aim: {AIM_HISTORY} bytes or less in the median.")
    return "\n".join(lines) + "\n"


def storms(peaks: Sequence[Peak]) -> str:
    lines = ["Storms: the most memory that a command held, in a process of its own", ""]
    for peak in peaks:
        held = f"{peak.memory / MEGABYTE:.0f}" if peak.memory is not None else "?"
        told = f"{len(peak.storm.rows):,} rows: {peak.storm.name}"
        lines.append(f"{peak.storm.command:<12} {told:<76} {held:>5} MB {peak.seconds:8.1f} s")
    lines.append(f"Aim: {AIM_MEMORY} MB or less.")
    return "\n".join(lines) + "\n"


def _row(first: str, *cells: str) -> str:
    widths = (27, 27, 18, 6, 8, 9, 9, 10)
    return f"{first:<18}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))


def _thousands(speed: Summary) -> str:
    return f"{speed.median:,.0f} ({speed.low:,.0f}-{speed.high:,.0f})"


def _megabytes(measurements: Sequence[Measurement]) -> str:
    peaks: list[Optional[int]] = [m.peak_bytes for m in measurements]
    known = [peak for peak in peaks if peak is not None]
    return f"{max(known) / MEGABYTE:.0f}" if known else "?"
