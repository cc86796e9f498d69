"""What a history takes in the KV store."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Iterable, Mapping

from bench.arithmetic import Summary


def history_bytes(documents: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, Summary]]:
    """Profile -> (number of documents, bytes a document as compact JSON, with _key and _user), all of them under ""."""
    sizes: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        size = len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
        sizes[""].append(size)
        sizes[str(document["profile"])].append(size)
    return {profile: (len(found), Summary.of(found)) for profile, found in sorted(sizes.items())}
