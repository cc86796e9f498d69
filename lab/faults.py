"""What goes wrong in a real Splunk, on the simulated clock: a search head that is away, a KV store that refuses, a run
that is killed, two runs at once. For tests, and for whoever wants to see what an outage does.

    faults.search_head_away(head, since, until)
    faults.kvstore_away(head, since, until)
    faults.kill_at_write(head, 7)
    second = faults.second_run(head, name)
    faults.meanwhile(head, 7, lambda: second(now))
    head.scheduler.replay(start, end, on_failure="record")
    head.scheduler.failures()

What a command waits between two attempts it waits for in real time; tests of outages shorten that where it is set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

from lab.protocol import CommandRunner
from lab.spl.engine import Engine
from lab.spl.window import TimeWindow
from lab.splunkd import KILL, KILL_AFTER, Fault

if TYPE_CHECKING:
    from lab.searchhead import SearchHead

WRITE = re.compile(r"(POST|DELETE) \S*/storage/collections/data/(?!\S*/batch_find$)")
"""The requests that change the KV store."""


def search_head_away(head: SearchHead, since: float, until: float) -> None:
    """No search runs from `since` to `until`. What is missed is lost to searches with realtime_schedule = 1 (the
    default), and made up for after `until` to others."""
    head.scheduler.absences.append((since, until))


def kvstore_away(head: SearchHead, since: float, until: float) -> None:
    """The KV store answers with 503, and lookups in it fail, in runs that happen from `since` to `until`."""
    before = head.kv.is_away
    head.kv.is_away = lambda: before() or since <= head.scheduler.clock < until


def kill_at_write(head: SearchHead, nth: int, carried_out: bool = False) -> Fault:
    """The run that sends the n-th write from now on is killed: before the write arrives, or once it is carried out and
    before the answer. `fault.seen` counts the writes."""
    return head.splunkd.fail(WRITE.pattern, KILL_AFTER if carried_out else KILL, nth)


def meanwhile(head: SearchHead, nth: int, happens: Callable[[], object]) -> Fault:
    """Something `happens` when the n-th write from now on has arrived, and before it is carried out."""
    return head.splunkd.fail(WRITE.pattern, happens, nth)


def second_run(head: SearchHead, name: str) -> Callable[[float], object]:
    """What runs a saved search, dispatched at a given time, to its end, beside whatever else runs. The scheduler starts
    no second run of a search (max_concurrent is 1,
    https://docs.splunk.com/Documentation/Splunk/latest/Admin/Savedsearchesconf), but people do, and so may the next
    captain of a search head cluster."""
    commands = CommandRunner(
        head.app,
        splunkd_uri=head.splunkd.uri,
        session_key=head.splunkd.session_key,
        dispatch_dir=head.state_dir / "second",
    )
    engine = Engine(head.app, head.events, head.kv, commands, head.state_dir / "lookups")

    def run(now: float) -> object:
        window = TimeWindow(None, now, now, indexed_by=now)
        return engine.search(f'| savedsearch "{name}"', window, sid=f"{now:.0f}.2")

    return run


def count_writes(head: SearchHead) -> Fault:
    """Harms nobody; its `seen` counts the writes from now on."""
    return head.splunkd.fail(WRITE.pattern, KILL, 1, 0)
