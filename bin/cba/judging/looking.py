"""The first steps of judging, one by one, for somebody who looks at them: a row prepared, and its evidence. Reads
only."""

from __future__ import annotations

from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from ..detection.catalogue import Catalogue
from ..detection.model import Detection
from ..history.history import Subject
from ..history.remembered import Histories
from ..home.finder import HomeFinder
from .detecting import is_candidate
from .evidence import EvidenceMaker, Looked, SourceDays
from .judge import BATCH
from .preparing import Prepared, Preparer
from .rows import SKIP_REASON, Row
from .stores import JudgeSettings, Stores

NOT_CANDIDATE = "no candidate"


class Seen(NamedTuple):
    """A row as a detection sees it: its prepared fields, its evidence, and why it stays silent."""

    cells: Mapping[str, str]
    looked: Looked


class Looker:
    """Looks rows of any sources up for one detection. `stores` gives what is kept of a source."""

    def __init__(
        self, detection: Detection, catalogue: Catalogue, settings: JudgeSettings, stores: Callable[[str], Stores]
    ) -> None:
        self._detection = detection
        self._population = catalogue.populations[detection.population]
        self._settings = settings
        self._stores = stores
        self._evidence = EvidenceMaker(detection)
        self._limits = {p.name: p.names_a_day for p in self._population.profiles if p.names_a_day is not None}
        self._of_source: dict[str, tuple[Preparer, Histories, Optional[SourceDays]]] = {}

    def look(self, source: str, rows: Sequence[Row]) -> Iterator[Seen]:
        """What is known of each row. Of one that consists of several parts, the first that anything can be said of."""
        for start in range(0, len(rows), BATCH):
            yield from self._look(source, rows[start : start + BATCH])

    def _look(self, source: str, rows: Sequence[Row]) -> Iterator[Seen]:
        preparer, histories, known = self._known(source)
        names = [row.name for row in rows]
        distinct = dict(zip(names, rows))  # rows alike are looked up once: all that is said of them is the same
        parts: dict[str, list[Prepared]] = {}
        for prepared in preparer.prepare(list(distinct.values())):
            if is_candidate(self._detection, prepared):
                parts.setdefault(prepared.row.name, []).append(prepared)
        subjects: list[Subject] = [
            subject
            for each in parts.values()
            for prepared in each
            for subject, _scope, _dimension, _value in self._evidence.subjects(prepared.cells)
        ]
        histories.want(subjects)
        seen = {name: self._seen(source, row, parts.get(name, ()), known, histories) for name, row in distinct.items()}
        return (seen[name] for name in names)

    def _seen(
        self,
        source: str,
        row: Row,
        parts: Sequence[Prepared],
        known: Optional[SourceDays],
        histories: Histories,
    ) -> Seen:
        if not parts:
            return Seen(row.cells, Looked(None, row.cells.get(SKIP_REASON) or NOT_CANDIDATE))
        looks = [Seen(part.cells, self._evidence.look(part.cells, row.day, source, known, histories)) for part in parts]
        return next((seen for seen in looks if not seen.looked.silent_reason), looks[0])

    def _known(self, source: str) -> tuple[Preparer, Histories, Optional[SourceDays]]:
        if source not in self._of_source:
            stores = self._stores(source)
            homes = HomeFinder(stores.homes, learn=False)
            preparer = Preparer(source, [self._population], stores.lists, homes, self._settings, keep_calls=False)
            histories = Histories(stores.histories, self._limits, stores.verdicts, learn=False)
            self._of_source[source] = (preparer, histories, stores.sources.load(source))
        return self._of_source[source]
