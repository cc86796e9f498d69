"""What a prepared row teaches: the profiles of a population, each learned once per source, asked by any detection."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple

from ..detection.model import Population, Profile
from ..history.history import Subject
from ..terms import ABSENT
from .evidence import entity_of
from .fields import FieldFacts


class Observation(NamedTuple):
    """Somebody was seen with a value."""

    subject: Subject
    value: str


class Teacher:
    """Says what rows of one population teach."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def belongs(self, cells: Mapping[str, str]) -> bool:
        """Whether the row is of the population."""
        return self.population.when is None or bool(self.population.when.evaluate(FieldFacts(cells)))

    def observations(self, cells: Mapping[str, str]) -> Iterator[Observation]:
        """What a row of the population teaches."""
        for profile in self.population.profiles:
            value, entity = cells.get(profile.dimension, ABSENT), entity_of(profile.scope, cells)
            if value and entity and _counts(profile, cells):
                yield Observation(Subject(profile.name, entity), value)


def _counts(profile: Profile, cells: Mapping[str, str]) -> bool:
    return profile.when is None or bool(profile.when.evaluate(FieldFacts(cells)))
