"""Fuzzing that needs a search head: raw log lines in the shipped searches, chunks and bytes of the protocol in
every command, and documents of the KV store under the judge."""

from __future__ import annotations

import dataclasses
import json
import math
import random
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from cba.terms import SOURCES
from demo import Organization, events, lists
from demo.generate import source_kind
from lab.chunked import Chunk, Row, encode_chunk, encode_rows
from lab.errors import LabError
from lab.events import Event, EventStore
from lab.protocol import SearchInfo
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.spl.engine import Engine
from lab.transport import Conversation, command_class, talk_in_process
from prove import mutate
from prove.fuzz import Fuzzed

CRASH = re.compile(r"Traceback|fault of the app itself")
ALIKE = ("bucket", "indexed", "source_kind", "project", "identity", "operation", "src_ip", "region", "skip_reason")
PARTS = 20
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "cbageo": ("ip=src_ip",),
    "cbaresource": ("fqdn=resource",),
    "cbajudge": ("source=aws",),
    "cbabaseline": ("detection=cloud_unusual_country",),
    "cbascore": ("detection=cloud_unusual_country",),
}
BAD_DOCUMENTS = ("cba_findings", "cba_breakers", "cba_history", "cba_sources", "cba_homes", "cba_verdicts",
                 "cba_watch_list", "cba_egress_ranges", "cba_compromised_keys", "cba_faults")  # fmt: skip


class Head:
    """A search head with a day of the generated organization, learned and judged, from which good inputs are taken."""

    def __init__(self, folder: Path) -> None:
        organization = Organization(days=20, events_per_day=200)
        self.head = SearchHead(APP_DIR, folder)
        lists.fill(self.head, lists.all_rows(organization))
        self.logs = list(events(organization))[-1500:]
        by_source: dict[str, list[Event]] = {source: [] for source in SOURCES}
        for event in self.logs:
            by_source.setdefault(source_kind(event), []).append(event)
        self.by_source = {source: found for source, found in by_source.items() if found}
        self.deliver(self.logs)
        self.rows = self.search("aws")
        self.head.commands.run("cbajudge", ["source=aws"], self.rows, self.info("cbajudge"))
        self.kept = {name: self.head.kv.collection(name).find() for name in self.head.kv.names()}

    def deliver(self, logs: Sequence[Event]) -> None:
        self.head.events.close()
        self.head.events = store = EventStore()
        store.add(sorted(logs, key=lambda each: each.indextime))
        head = self.head
        head.engine = Engine(head.app, store, head.kv, head.commands, head.state_dir / "lookups")

    def search(self, source: str) -> list[Row]:
        return self.head.search(f'| savedsearch "CBA - {source} - Rows"', earliest=0).rows

    def info(self, command: str) -> SearchInfo:
        return SearchInfo("1.1", f"| {command}", latest_time=max(each.time for each in self.logs) + 86_400)


def _like(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in ALIKE)


def raw_lines(head: Head, rng: random.Random, result: Fuzzed, lines: int) -> None:
    """Changed lines among good ones: every row of the good ones is there all the same, and none counts less."""
    source = rng.choice(list(head.by_source))
    good = head.by_source[source]
    head.deliver(good)
    expected: Counter[tuple[str, ...]] = Counter()
    for row in head.search(source):
        expected[_like(row)] += int(row["events"])
    changed = []
    for _number in range(lines):
        event = mutate.pick(good, rng)
        changed.append(dataclasses.replace(event, raw=_line(event.raw, rng)))
    head.deliver([*good, *changed])
    result.inputs += lines
    try:
        found: Counter[tuple[str, ...]] = Counter()
        for row in head.search(source):
            found[_like(row)] += int(row["events"])
    except LabError as error:
        result.wrong.append(f"raw lines of {source}: {error.message[-600:]}")
        return
    lost = {like: (count, found[like]) for like, count in expected.items() if found[like] < count}
    if lost:
        result.wrong.append(f"raw lines of {source}: rows lost: {list(lost.items())[:2]}")


def _line(raw: str, rng: random.Random) -> str:
    if rng.random() < 0.6 and raw[:1] == "{":
        document = json.loads(raw)
        for _change in range(rng.choice((1, 1, 2, 3))):
            document = mutate.value(document, rng)
        return json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "replace").decode("utf-8")
    return mutate.text(raw, rng).encode("utf-8", "replace").decode("utf-8")


def protocol(head: Head, rng: random.Random, result: Fuzzed) -> None:
    """A chunk that is changed in its cells, its CSV, or its very bytes. Only the last may end without a sentence."""
    result.inputs += 1
    command = rng.choice(list(COMMANDS))
    rows = [dict(row) for row in rng.sample(head.rows, 5)]
    how = rng.random()
    if how < 0.5:
        row = rng.choice(rows)
        name = rng.choice(list(row))
        row[name] = rng.choice((mutate.text(str(row[name]), rng), ["a", mutate.text(str(row[name]), rng)], None))
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = encode_rows(names, rows, indexed=True).encode("utf-8", "replace").decode("utf-8")
    if 0.5 <= how < 0.85:
        body = mutate.text(body, rng).encode("utf-8", "replace").decode("utf-8")
    sent = encode_chunk({"action": "execute", "finished": False}, body)
    if how >= 0.85:
        sent = mutate.text(sent.decode("latin-1"), rng).encode("latin-1", "replace")
    said = _talk(head, command, sent)
    if said is None:
        return
    result.refused += 1
    if how < 0.85 and CRASH.search(said):
        result.wrong.append(f"protocol: {command}: {body[:500]!r}: {said[-500:]}")


def _talk(head: Head, command: str, sent: bytes) -> Optional[str]:
    """What a command says against it; None when it answers."""
    script = APP_DIR / "bin" / f"{command}.py"
    runner = head.head.commands
    complaints: list[str] = []
    getinfo = runner._getinfo(
        runner._command(command), list(COMMANDS[command]), head.info(command), head.head.state_dir
    )

    def heed(reply: Chunk) -> None:
        inspector = reply.metadata.get("inspector") or {}
        complaints.extend(text for level, text in inspector.get("messages", []) if level in ("ERROR", "FATAL"))

    def conversation() -> Conversation:
        heed((yield encode_chunk(getinfo)))
        heed((yield sent))
        heed((yield encode_chunk({"action": "execute", "finished": True})))
        return []

    kind = _CLASSES.setdefault(command, command_class(script, command))
    try:
        talk_in_process(kind, script, conversation(), lambda _sent, _received: None)
    except LabError as error:
        complaints.append(error.message)
    return "; ".join(complaints) or None


_CLASSES: dict[str, Any] = {}


def documents(head: Head, rng: random.Random, result: Fuzzed) -> None:
    """A changed document in the KV store under the judge: it says which, or goes on without it."""
    result.inputs += 1
    name = rng.choice([name for name in BAD_DOCUMENTS if head.kept.get(name)])
    collection = head.head.kv.collection(name)
    good = mutate.pick(head.kept[name], rng)
    changed = mutate.value({key: each for key, each in good.items() if key not in ("_key", "_user")}, rng)
    if not isinstance(changed, dict):
        return
    changed = {
        "_key": good["_key"],
        **{key: each for key, each in changed.items() if key and not key.startswith(("_", "$"))},
    }
    try:
        collection.batch_save([changed])
    except Exception:  # the KV store does not take it
        return
    # The last day anew, so that its findings are read and written.
    last = [row for row in head.rows if row["bucket"] >= head.rows[-1]["bucket"] // 86_400 * 86_400][-40:]
    try:
        head.head.commands.run("cbajudge", ["source=aws"], last, head.info("cbajudge"))
        faults = head.head.kv.collection("cba_faults").find()
        if name != "cba_faults":
            for each in faults:
                if not re.match(r"DamagedError: .*KV store collection", str(each.get("message"))):
                    result.wrong.append(f"document of {name}: {changed!r:.500}: {each.get('message')}")
    except LabError as error:
        result.refused += 1
        if CRASH.search(error.message) or "KV store collection" not in error.message:
            result.wrong.append(f"document of {name}: {changed!r:.500}: {error.message[-400:]}")
    finally:
        collection.delete(None)
        collection.save_all(head.kept[name])
        head.head.kv.collection("cba_faults").delete(None)


def fuzz_head(seed: str, raw: int, chunks: int, stored: int, until: float = math.inf) -> dict[str, Fuzzed]:
    """So many raw lines, chunks and documents, or as many as there is time for until then (time.monotonic)."""
    rng = random.Random(f"lines/{seed}")
    results = {"raw lines": Fuzzed(), "protocol": Fuzzed(), "documents under the judge": Fuzzed()}
    with tempfile.TemporaryDirectory(prefix="cba-fuzz-") as folder:
        head = Head(Path(folder))
        for part in range(1, PARTS + 1):
            while results["raw lines"].inputs < raw * part / PARTS:
                raw_lines(head, rng, results["raw lines"], min(500, raw))
            while results["protocol"].inputs < chunks * part / PARTS:
                protocol(head, rng, results["protocol"])
            while results["documents under the judge"].inputs < stored * part / PARTS:
                documents(head, rng, results["documents under the judge"])
            if time.monotonic() > until:
                break
        head.head.close()
    return results
