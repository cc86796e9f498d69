"""The app's own commands over the real chunked protocol, with a splunkd and a KV store of their own.

with Workbench(folder, python=sys.executable) as bench:
    rows = bench.run("cbajudge", "source=aws", rows=story())
    bench.stored()              what is in the KV store now
    bench.talk("cbascore", ["detection=…"], [Chunk…])     the bare conversation, chunk by chunk
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterable, Optional, Sequence
from urllib.parse import urlsplit

from splunklib import client

from lab.chunked import Chunk, Row, encode_chunk
from lab.conf import AppConf, load_app
from lab.errors import LabError
from lab.kvstore import KVStore, Limits
from lab.protocol import CommandRunner, SearchInfo
from lab.replay import APP_DIR
from lab.splunkd import Splunkd
from lab.transport import Conversation, command_class, talk_in_process, talk_to_process

ROOT = APP_DIR
DETECTION = "cloud_unusual_country"
CHOSEN = f"detection={DETECTION}"
FIRST_DAY = 20_454  # 2026-01-01
TODAY = FIRST_DAY + 40
LATEST = (TODAY + 1) * 86_400
COLLECTIONS = ("cba_history", "cba_sources", "cba_findings", "cba_breakers", "cba_homes", "cba_signals", "cba_faults")


class Workbench:
    """`python` runs the commands as processes of that interpreter; without it they run in this process. Confs that are
    edited go to the folder `local`."""

    def __init__(
        self, folder: Path, python: Optional[str] = None, limits: Optional[Limits] = None, local: Optional[Path] = None
    ) -> None:
        self.app: AppConf = load_app(ROOT)
        self.folder = folder
        self.python = python
        self.kv = KVStore(self.app, ":memory:", limits)
        self.splunkd = Splunkd(self.app, self.kv, local).start()
        self.exchanged: list[tuple[bytes, bytes]] = []
        self.runner = CommandRunner(
            self.app,
            mode="process" if python else "inprocess",
            python=python,
            splunkd_uri=self.splunkd.uri,
            session_key=self.splunkd.session_key,
            dispatch_dir=folder / "dispatch",
            on_exchange=lambda sent, received: self.exchanged.append((sent, received)),
        )

    def __enter__(self) -> Workbench:
        return self

    def __exit__(self, *_: object) -> None:
        self.splunkd.stop()
        self.kv.close()

    def run(self, command: str, *args: str, rows: Optional[Sequence[Row]]) -> list[Row]:
        """The answer of one command; LabError with the command's own message when it fails."""
        return self.runner.run(command, args, rows, self.info(command))

    def info(self, command: str) -> SearchInfo:
        return SearchInfo("1.1", f"| {command}", latest_time=LATEST)

    def service(self) -> client.Service:
        """splunkd as splunk-sdk sees it."""
        address = urlsplit(self.splunkd.uri)
        where = {"scheme": address.scheme, "host": address.hostname, "port": address.port}
        return client.Service(token=self.splunkd.session_key, owner="nobody", app=self.app.name, **where)

    def search(self, rows: Sequence[Row], *options: str, source: str = "aws") -> list[Row]:
        """A source's search from its reduced rows on: what it says of the findings it touched."""
        return self.run("cbajudge", f"source={source}", *options, rows=rows)

    def complaint(self, command: str, *args: str, rows: Optional[Sequence[Row]]) -> str:
        """The message with which a command fails."""
        try:
            self.run(command, *args, rows=rows)
        except LabError as error:
            return error.message
        raise AssertionError(f"{command} did not complain")

    def warnings(self) -> list[str]:
        return [text for _command, level, text in self.runner.messages if level == "WARN"]

    def talk(
        self,
        command: str,
        args: Sequence[str],
        chunks: Iterable[tuple[str, bool]],
        preview: bool = False,
        sid: str = "1.1",
    ) -> list[Chunk]:
        """Sends getinfo and `chunks` (body, finished) as they are; every reply, getinfo's first."""
        replies: list[Chunk] = []
        metadata = {
            "action": "getinfo",
            "preview": preview,
            "searchinfo": {
                "args": list(args), "raw_args": list(args), "dispatch_dir": str(self.folder), "sid": sid,
                "app": self.app.name, "owner": "ann", "username": "ann", "session_key": self.splunkd.session_key,
                "splunkd_uri": self.splunkd.uri, "splunk_version": "9.4.3", "search": "", "command": command,
                "maxresultrows": 50_000, "earliest_time": "0", "latest_time": str(LATEST),
            },
        }  # fmt: skip

        def conversation() -> Conversation:
            replies.append((yield encode_chunk(metadata)))
            for body, finished in chunks:
                execute = {"action": "execute", "preview": preview, "finished": finished}
                replies.append((yield encode_chunk(execute, body)))
            return []

        script = ROOT / "bin" / f"{command}.py"

        def unheard(sent: bytes, received: bytes) -> None: ...

        if self.python:
            talk_to_process(script, conversation(), unheard, self.python, self.folder, 60)
        else:
            talk_in_process(command_class(script, command), script, conversation(), unheard)
        return replies

    def writes(self) -> list[str]:
        """The requests so far that change the KV store."""
        return [r for r in self.splunkd.requests if r.endswith("/batch_save") or r.startswith("DELETE")]

    def stored(self) -> dict[str, list[dict[str, Any]]]:
        """Every document of the app, by collection, in order of keys."""
        return {name: sorted(self.kv.collection(name).find(), key=lambda d: d["_key"]) for name in COLLECTIONS}

    def histories(self, profile: str) -> dict[str, list[str]]:
        """Values by entity of one profile, whoever has written them."""
        found: dict[str, set[str]] = {}
        for document in self.kv.collection("cba_history").find({"profile": profile}):
            found.setdefault(document["entity"], set()).update(json.loads(document["values"]))
        return {entity: sorted(values) for entity, values in found.items()}

    def findings(self) -> list[Row]:
        """Every finding, in order of time and entity."""
        return sorted(self.kv.collection("cba_findings").find(), key=lambda f: (f["first_time"], f["entity"]))


def reduced(day: int, identity: str, country: str, **more: Any) -> Row:
    """A row as the search of a source has it before `cbajudge`; what is absent of it is left out, which is the same."""
    start = day * 86_400 + 36_000
    row = {
        "bucket": start, "indexed": start, "events": 1, "event_times": str(start), "source_kind": "aws",
        "provider": "aws", "project": "111111111111", "identity": identity, "identity_type": "user",
        "src_ip": f"ip-of-{country}", "country": country,
    }  # fmt: skip
    return {**row, **more}


def story() -> list[Row]:
    """40 days of ann in NL and bob in DE; on the 41st ann in RU (v2) and bob in NL (v3)."""
    past = [reduced(day, *who) for day in range(FIRST_DAY, TODAY) for who in (("ann", "NL"), ("bob", "DE"))]
    return [*past, reduced(TODAY, "ann", "RU"), reduced(TODAY, "bob", "NL")]
