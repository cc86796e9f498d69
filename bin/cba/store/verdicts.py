"""Verdicts on values in the collection `cba_verdicts`: one document per profile, entity and value.

{"_key": …, "subject": …, "profile": "identity_country", "entity": "arn:…", "value": "RU", "verdict": "benign",
 "decided_by": "ines", "decided_time": 1767225600, "comment": "moved there", "finding_id": …, "earlier": "[…]"}

`subject` is the key of the history the value stands in, so that a run finds the verdicts of the entities it touches.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from splunklib.client import Service

from ..errors import DamagedError
from ..findings.verdicts import Target
from ..history.history import BENIGN, MALICIOUS, Subject
from .collection import Collection
from .histories import subject_key

NAME = "cba_verdicts"


class VerdictCollection:
    """Implements `findings.verdicts.VerdictStore` and `history.remembered.Verdicts`."""

    def __init__(self, service: Service) -> None:
        self._collection = Collection(service, NAME)
        self.complaints: dict[str, None] = {}
        """What is wrong with documents that were met and passed over."""

    def load(self, subjects: Iterable[Subject]) -> dict[Subject, dict[str, str]]:
        """value -> benign or malicious, for those subjects that have a verdict."""
        decided: dict[Subject, dict[str, str]] = {}
        for document in self._collection.where("subject", [subject_key(subject) for subject in subjects]):
            self._take(document, decided)
        return decided

    def _take(self, document: Mapping[str, Any], decided: dict[Subject, dict[str, str]]) -> None:
        """A damaged document decides nothing and stops nobody."""
        try:
            target, verdict = _target(document), str(document.get("verdict") or "")
            if verdict and verdict not in (BENIGN, MALICIOUS):
                raise DamagedError(
                    f"KV store collection {NAME}: document {document.get('_key')} has no verdict we know"
                )
        except DamagedError as error:
            self.complaints[str(error)] = None
            return
        if verdict:
            decided.setdefault(target.subject, {})[target.value] = verdict

    def wrong(self) -> list[str]:
        """What is wrong with documents, of all there are."""
        for document in self._collection.find({}):
            self._take(document, {})
        return list(self.complaints)

    def by_targets(self, targets: Iterable[Target]) -> dict[Target, dict[str, Any]]:
        """The documents of those targets that have one."""
        return {_target(document): document for document in self._collection.by_keys(target.key for target in targets)}

    def of_findings(self, finding_ids: Sequence[str]) -> dict[Target, dict[str, Any]]:
        """The documents whose present verdict came with one of these findings."""
        return {_target(document): document for document in self._collection.where("finding_id", finding_ids)}

    def save(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self._collection.save([{**d, "subject": subject_key(_target(d).subject)} for d in documents])


def _target(document: Mapping[str, Any]) -> Target:
    """What a document is about. Raises DamagedError naming the document when it does not say."""
    try:
        return Target(Subject(str(document["profile"]), str(document["entity"])), str(document["value"]))
    except KeyError as error:
        raise DamagedError(
            f"KV store collection {NAME}: document {document.get('_key')} is damaged: it has no {error}. Restore it "
            "from a backup, or delete it and give the verdict again."
        ) from error
