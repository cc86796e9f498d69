"""A row's own fields, for conditions that ask for nothing else."""

from __future__ import annotations

from typing import Mapping, NoReturn

from ..terms import ABSENT


class FieldFacts:
    """Implements `detection.condition.Facts` as far as a row without any history can."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells

    def field(self, name: str) -> str:
        return self._cells.get(name, ABSENT)

    def __getattr__(self, name: str) -> NoReturn:
        raise TypeError(f"a condition on a row's own fields cannot ask {name}(…); the reader of content checks that")
