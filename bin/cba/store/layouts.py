"""How documents are laid out, by collection: the one place that knows versions.

A document of version 1 carries no number, which is most of what there is, for a history is small. From version 2 on it
says so in its field `schema`. What is read of an older version becomes the present one before anybody looks at it, and
is kept so when it is written next; of a newer version, or of one that nobody can have written, it is refused and left
as it is.

Whoever changes a layout so that versions before would misread it adds a step to its collection here.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, Optional, Sequence

from ..errors import DamagedError
from ..terms import SEVERITIES

SCHEMA = "schema"
"""The field that tells a document's version; without it, the version is 1."""

Document = dict[str, Any]
Step = Callable[[Document], Document]
"""Makes a document of the next version out of one. It must not change the one that it is given."""

BEFORE_WRITERS = "before writers"
"""The writer of histories that were kept when each subject had one document."""


class Layout:
    """The versions of a collection's documents: `steps[0]` leads from version 1 to 2, and so on. `unnumbered` mends
    what was kept before versions were counted, which its shape tells; it gives None for what is version 1 already."""

    def __init__(self, *steps: Step, unnumbered: Optional[Callable[[Document], Optional[Document]]] = None) -> None:
        self._steps: Sequence[Step] = steps
        self._unnumbered = unnumbered

    @property
    def version(self) -> int:
        """What this version of the app reads and writes."""
        return 1 + len(self._steps)

    def read(self, collection: str, document: Document) -> Document:
        """The document in the present version. Raises DamagedError for one of a version that is not known."""
        version = self._version_of(collection, document) if SCHEMA in document else 1
        if version == 1 and self._unnumbered is not None:
            try:
                document = self._unnumbered(document) or document
            except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
                return document  # whoever reads it says what is damaged
        for step in self._steps[version - 1 :]:
            document = step(document)
        return document

    def written(self, document: Mapping[str, Any]) -> Document:
        """The document as it is kept: with its version, from the second on."""
        plain = {name: value for name, value in document.items() if name != SCHEMA}
        return plain if self.version == 1 else {**plain, SCHEMA: self.version}

    @property
    def unknown(self) -> Mapping[str, Any]:
        """The query for documents of newer versions."""
        return {SCHEMA: {"$gt": self.version}}

    def _version_of(self, collection: str, document: Document) -> int:
        told = document[SCHEMA]
        if isinstance(told, (int, float)) and not isinstance(told, bool) and told in range(1, self.version + 1):
            return int(told)
        raise DamagedError(
            f"KV store collection {collection}: document {document.get('_key')} has {SCHEMA} {told!r}, which this "
            f"version of the app does not know (it knows {SCHEMA} {self.version}): a newer one wrote it. It is left as "
            "it is. Install that version again, or delete the document; what was learned comes back with the source's "
            "Backfill search"
        )


def _history_without_writer(document: Document) -> Optional[Document]:
    """One document per subject, under the key that is `subject` now."""
    if "subject" in document:
        return None
    return {**document, "subject": document["_key"], "writer": BEFORE_WRITERS}


def _finding_by_numerals(document: Document) -> Optional[Document]:
    """Variations called 1, 2 …, and atoms `bucket|plain|suspected` that do not tell when events were indexed: they are
    taken to have been indexed at once."""
    first = document["atoms"].split('"', 2)[1:2]
    if not document["variation"].isdigit() and (not first or first[0].count("|") == 3):
        return None
    atoms = {}
    for name, counted in json.loads(document["atoms"]).items():
        bucket, *indexed, plain, suspected = name.split("|")
        (when,) = indexed or [bucket]
        atoms["|".join((bucket, when, _named(plain), _named(suspected)))] = counted
    return {**document, "variation": _named(document["variation"]), "atoms": json.dumps(atoms)}


def _named(variation: str) -> str:
    return f"v{variation}" if variation.isdigit() else variation


def _breaker_without_ranks(document: Document) -> Optional[Document]:
    """Openings without a rank silenced everything. (Numbers in `counts` are not read: counting begins anew.)"""
    openings = json.loads(document.get("openings", "[]"))
    if all(len(each) != 2 for each in openings):
        return None
    ranked = [[*each, len(SEVERITIES)] if len(each) == 2 else each for each in openings]
    return {**document, "openings": json.dumps(ranked)}


LAYOUTS: Mapping[str, Layout] = {
    "cba_history": Layout(unnumbered=_history_without_writer),
    "cba_findings": Layout(unnumbered=_finding_by_numerals),
    "cba_breakers": Layout(unnumbered=_breaker_without_ranks),
    **{
        name: Layout()
        for name in (
            "cba_homes",
            "cba_triage",
            "cba_setup",
            "cba_alerts",
            "cba_sources",
            "cba_marks",
            "cba_faults",
            "cba_verdicts",
            "cba_signals",
            "cba_quarantined",
            "cba_egress_ranges",
            "cba_watch_list",
            "cba_compromised_keys",
            "cba_instance_inventory",
            "cba_role_scope",
            "cba_allowed_functions",
            "cba_user_context",
            "cba_flow_actions",
            "cba_own_domains",
            "cba_script_scope",
            "cba_trigger_types",
        )
    },
}
"""Every collection of collections.conf."""
