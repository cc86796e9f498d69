"""What analysts say of a finding: its status, whose it is, the verdict. That is a document of its own for each finding,
which no search that records findings reads or writes.

A finding may replace others of its window (`absorbed`: their ids, blank-separated). As long as nobody has said anything
of it, what was said of those it replaced shows, the newest first.
"""

from __future__ import annotations

import json
from typing import Iterable, Mapping, Optional, Protocol, Sequence

NEW = "new"
"""The status of a finding that nobody has said anything of."""
IN_PROGRESS = "in progress"
CLOSED = "closed"
STATUSES = (NEW, IN_PROGRESS, CLOSED)

Document = dict[str, object]

KEPT = ("status", "owner", "verdict", "comment", "triaged_time", "triaged_by", "earlier")
"""The fields of a document beside `_key`, the finding's id. `earlier` is the JSON list of what was said before, oldest
first."""

SHOWN = (*KEPT[:-1], "earlier_verdicts")
"""The same as fields of a finding's row: pages and cbaverdict name them so, and so does the macro cba_triage."""


class TriageStore(Protocol):
    """Where the documents live; `store.triage.TriageCollection` is the one in Splunk."""

    def by_ids(self, finding_ids: Iterable[str]) -> dict[str, Document]:
        """The documents of those findings of which something was said."""

    def save(self, documents: Sequence[Document]) -> None: ...


def family(finding: Mapping[str, object]) -> tuple[str, ...]:
    """The finding's id, then those of the findings that it replaced."""
    return tuple(dict.fromkeys((str(finding["finding_id"]), *str(finding.get("absorbed") or "").split())))


def triage_of(finding: Mapping[str, object], said: Mapping[str, Document]) -> Optional[Document]:
    """What was said of the finding, or else the newest of what was said of those it replaced; None for nothing."""
    own, *others = family(finding)
    if own in said:
        return said[own]
    return max((said[name] for name in others if name in said), key=_time, default=None)


def shown(document: Optional[Mapping[str, object]]) -> Document:
    """The fields that a finding's row shows."""
    told = document or {"status": NEW, "earlier": "[]"}
    return {field: told.get(kept, "") for kept, field in zip(KEPT, SHOWN)}


def with_earlier(known: Mapping[str, object], by: str, time: str) -> str:
    """The JSON list of everything said so far: what was earlier, then what holds in `known`, if anything was said."""
    before = json.loads(str(known.get("earlier") or "[]"))
    if known.get(time):
        said = {"verdict": known.get("verdict", ""), "by": known.get(by, ""), "time": known[time]}
        beside = {name: known[name] for name in ("status", "owner") if known.get(name)}
        before.append({**said, "comment": known.get("comment", ""), **beside})
    return json.dumps(before, ensure_ascii=False, separators=(",", ":"))


def _time(document: Mapping[str, object]) -> float:
    return float(str(document.get("triaged_time") or 0))
