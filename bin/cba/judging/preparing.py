"""From a row as it was reduced to the rows that are judged: where it came from, whose it is, what it consists of."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, NamedTuple, Optional, Sequence

from ..detection.model import Population
from ..enrich.place import Egress, place
from ..enrich.rows import PREPARATIONS
from ..enrich.watch import watch
from ..home.calls import Call, concerns_homes, passed_over_sentences, read_call
from ..home.finder import NOBODY, Answer, HomeFinder
from ..home.homes import UNKNOWN
from ..lists.match import Lists
from ..terms import ABSENT
from .rows import SOURCE_FIELD, Row, is_judged
from .stores import JudgeSettings

COMPUTE = "compute"
"""The preparation that knows the homes of workloads."""


class Prepared(NamedTuple):
    """A row of one population, ready to be judged and learned; `part` of a row that consists of several."""

    population: str
    row: Row
    cells: Mapping[str, str]
    part: Optional[int] = None

    @property
    def counted(self) -> str:
        """Tells it from all others of its population."""
        return self.row.name if self.part is None else f"{self.row.name}/{self.part}"


class Preparer:
    """Prepares rows of one source for these populations."""

    def __init__(
        self,
        source: str,
        populations: Iterable[Population],
        lists: Lists,
        homes: HomeFinder,
        settings: JudgeSettings,
        keep_calls: bool = True,
    ) -> None:
        self._source = source
        self._populations = tuple(populations)
        self._lists = lists
        self._homes = homes
        self._settings = settings
        self._egress = Egress(lists, settings.egress)
        self._keep_calls = keep_calls
        self._passed_over: dict[str, str] = {}

    def prepare(self, rows: Sequence[Row]) -> list[Prepared]:
        """The prepared rows of these rows, and of calls that were kept and whose workload's home is known now, one day
        after the other. Rows that are never judged only tell about homes."""
        placed = [self._placed(row) for row in rows]
        calls = self._read_calls(rows, placed)
        for heard in calls.values():
            self._homes.hear(heard)
        prepared: list[Prepared] = []
        for position, (row, cells) in enumerate(zip(rows, placed)):
            call = calls.get(position)
            answer = NOBODY if call is None else self._homes.answer(call)
            if call is not None and answer.home_state == UNKNOWN and self._keep_calls:
                self._homes.keep(call, row.name, row.to_json())
            if is_judged(row.cells):
                prepared.extend(self._of_populations(row, self._told(row, cells), answer))
        return sorted([*self._released(), *prepared], key=lambda each: each.row.day)

    def _read_calls(self, rows: Sequence[Row], placed: Sequence[Mapping[str, str]]) -> dict[int, Call]:
        calls = {
            position: read_call(cells, row.bucket, self._inventory, self._passed_over)
            for position, (row, cells) in enumerate(zip(rows, placed))
            if concerns_homes(row.cells)
        }
        self._homes.want(list(calls.values()))
        return calls

    def _released(self) -> Iterator[Prepared]:
        released = [Row.from_json(text) for text in self._homes.released()]
        if not released:
            return
        placed = [self._placed(row) for row in released]
        calls = self._read_calls(released, placed)
        for position, (row, cells) in enumerate(zip(released, placed)):
            answer = self._homes.answer(calls[position])
            if answer.home_state == UNKNOWN:  # what was learned does not reach back so far; something else still may
                self._homes.keep(calls[position], row.name, row.to_json())
                continue
            for population in self._populations:
                if population.rows == COMPUTE:
                    yield self._compute(population.name, row, self._told(row, cells), answer)

    def _of_populations(self, row: Row, cells: dict[str, str], answer: Answer) -> Iterator[Prepared]:
        if answer.home_region:
            cells["home_region"] = answer.home_region
        for population in self._populations:
            if population.rows == COMPUTE:
                if cells.get("workload"):
                    yield self._compute(population.name, row, cells, answer)
                continue
            parts = PREPARATIONS[population.rows](cells, self._lists)
            for position, part in enumerate(parts):
                yield Prepared(population.name, row, part, position if len(parts) > 1 else None)

    def _compute(self, population: str, row: Row, cells: Mapping[str, str], answer: Answer) -> Prepared:
        """With what is known of the workload's home. A service without a region is called as if at home."""
        region = cells.get("region", ABSENT) or answer.home_region.split(", ")[0]
        outcome = "success" if self._settings.failed_calls_escalate else cells.get("outcome", ABSENT)
        told = {**answer._asdict(), "region": region, "judged_outcome": outcome}
        return Prepared(population, row, {**cells, **told})

    def _told(self, row: Row, cells: dict[str, str]) -> dict[str, str]:
        """The row's placed fields, and why it deserves a closer look whatever its history says."""
        cells.update(watch(cells, self._lists, row.seconds[0]))
        cells["events"] = str(row.events)
        return cells

    def _placed(self, row: Row) -> dict[str, str]:
        """The row's fields with where it came from."""
        return place({**row.cells, SOURCE_FIELD: self._source}, self._egress)

    def _inventory(self, workload: str) -> str:
        listed = self._lists.match("instance_inventory", instance=workload)
        return listed["region"] if listed else ABSENT

    def sentences(self) -> list[str]:
        """What was passed over so far, for the person who runs the search."""
        return [*passed_over_sentences(self._passed_over), *self._lists.faults]
