"""A round in which the search head itself is killed (SIGKILL) and started again, its commands as real processes."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from prove.child import EVENTS
from prove.rounds import Outcome, Proof
from prove.world import AFTER, World, differences, left, live

KILLS = 5
STARTED_AFTER = 1.0
"""Seconds in which a process has started, and is not worth killing."""


def killed_heads(proof: Proof, seed: str, commands_apart: bool) -> Outcome:
    """A day on a search head that is killed up to KILLS times, whatever it is doing. `commands_apart`: its commands are
    processes, which outlive it for a moment, and whose log is on a full disk."""
    rng, world, began = random.Random(f"heads/{seed}"), proof.world, time.monotonic()
    mode, cadence = ("process", "1d") if commands_apart else ("inprocess", "1h")
    with tempfile.TemporaryDirectory(prefix="cba-prove-") as name:
        folder = Path(name)
        _copy(world, folder)
        if commands_apart:
            logs = folder / "var" / "log" / "splunk"
            logs.mkdir(parents=True)
            (logs / "cloud_behavior_analytics.log").symlink_to("/dev/full")
        arguments = [str(folder), str(world.start), str(world.end), cadence, mode]
        kills = 0
        for _attempt in range(rng.randint(1, KILLS)):
            kills += _run(arguments, STARTED_AFTER + rng.expovariate(0.25))
        _run(arguments, None)
        with SearchHead(APP_DIR, folder) as head:
            head.events.add(pickle.loads((folder / EVENTS).read_bytes()))
            live(head, world.end, world.end + AFTER, "1h")
            found, failed = left(head), head.scheduler.failures()
    kind = f"search head killed, every {cadence}" + (", commands as processes" if commands_apart else "")
    return Outcome(
        seed, kind, [f"{kills} × SIGKILL of the search head"], 0, len(failed), 0, 0, 0, len(found.findings),
        list(differences(found, proof.expected)), time.monotonic() - began,
    )  # fmt: skip


def _copy(world: World, folder: Path) -> None:
    world.again()
    with sqlite3.connect(folder / "kvstore.sqlite") as copy:
        world.head.kv.connection.backup(copy)
    copy.close()
    for name in ("local", "lookups"):
        if (world.folder / name).is_dir():
            shutil.copytree(world.folder / name, folder / name)
    (folder / EVENTS).write_bytes(pickle.dumps([*world.recent, *world.todays]))


def _run(arguments: list[str], seconds: float | None) -> bool:
    """Runs a search head, and kills it after so many seconds; whether it was."""
    process = subprocess.Popen(
        [sys.executable, "-m", "prove.child", *arguments], env=os.environ, stderr=subprocess.PIPE, cwd=APP_DIR
    )
    try:
        _out, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    if process.returncode:
        raise AssertionError(f"a search head ended by itself: {said.decode('utf-8', 'replace')[-2000:]}")
    return False
