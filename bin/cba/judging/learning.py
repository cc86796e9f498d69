"""What a prepared row teaches: the profiles of a population, each learned once per source, asked by any detection."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple

from ..detection.model import Population, Profile, fields_read
from ..history.history import Subject
from ..terms import ABSENT
from .evidence import entity_of
from .fields import FieldFacts


class Observation(NamedTuple):
    """Somebody was seen with a value."""

    subject: Subject
    value: str


KINDS_LIMIT = 2_000
"""How many kinds of rows are kept in mind that have been taught on a day; with more, they are taught again."""


class Teacher:
    """Says what rows of one population teach."""

    def __init__(self, population: Population) -> None:
        self.population = population
        named = (name for profile in population.profiles for name in (profile.scope, profile.dimension))
        self._read = tuple(dict.fromkeys((*named, *fields_read(population.conditions))))
        self._taught: set[tuple[str, ...]] = set()
        self._day = 0

    def belongs(self, cells: Mapping[str, str]) -> bool:
        """Whether the row is of the population."""
        return self.population.when is None or bool(self.population.when.evaluate(FieldFacts(cells)))

    def news(self, cells: Mapping[str, str], day: int) -> Iterator[Observation]:
        """What a row of that day teaches; nothing, if one that is alike has taught it before."""
        if day != self._day or len(self._taught) > KINDS_LIMIT:
            self._taught.clear()
            self._day = day
        kind = tuple([cells.get(name, ABSENT) for name in self._read])
        if kind in self._taught:
            return
        self._taught.add(kind)
        if self.belongs(cells):
            yield from self.observations(cells)

    def observations(self, cells: Mapping[str, str]) -> Iterator[Observation]:
        """What a row of the population teaches."""
        for profile in self.population.profiles:
            value, entity = cells.get(profile.dimension, ABSENT), entity_of(profile.scope, cells)
            if value and entity and _counts(profile, cells):
                yield Observation(Subject(profile.name, entity), value)


def _counts(profile: Profile, cells: Mapping[str, str]) -> bool:
    return profile.when is None or bool(profile.when.evaluate(FieldFacts(cells)))
