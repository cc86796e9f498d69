"""What content/sources/<source>/source.yml says, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union


@dataclass(frozen=True)
class Raw:
    """A raw path of the event."""

    path: str


@dataclass(frozen=True)
class Made:
    """A field made above."""

    name: str


@dataclass(frozen=True)
class Text:
    """A constant."""

    text: str


@dataclass(frozen=True)
class Spl:
    """The escape hatch: an expression of SPL, in which @{path} is a raw path."""

    expression: str


@dataclass(frozen=True)
class FirstOf:
    """The first of several values that is there."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Cases:
    """The value of the first case whose condition holds; a case without condition holds always."""

    values: tuple[Value, ...]


Base = Union[Raw, Made, Text, Spl, FirstOf, Cases]


@dataclass(frozen=True)
class Value:
    """Where a value comes from and what it is turned into, in this order: a part of it, a replacement, JSON text of
    its own, lower case, texts that mean nothing; and the condition under which there is one at all."""

    base: Base
    part: Optional[tuple[str, int]] = None
    replace: Optional[tuple[str, str]] = None
    json: bool = False
    lower: bool = False
    absent: tuple[str, ...] = ()
    when: str = ""


@dataclass(frozen=True)
class Field:
    """A field and its value. `address`: which address of a list counts, first or last public one; `as_list`: several
    values, packed as the text of a JSON array."""

    name: str
    value: Value
    address: str = ""
    as_list: bool = False
    line: int = 0


@dataclass(frozen=True)
class Lookup:
    """A table asked by fields made above; what it answers becomes a field."""

    name: str
    table: str
    match: tuple[tuple[str, str], ...]
    output: str


@dataclass(frozen=True)
class Command:
    """Any other command of a pipeline."""

    name: str
    text: str
    gives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Keep:
    """A condition that events have to meet to be of this source."""

    name: str
    condition: str


Step = Union[Field, Lookup, Command, Keep]


@dataclass(frozen=True)
class Source:
    """A kind of log. `documents` are fields whose text is JSON of its own, to be read like the event itself;
    with `extracted` paths are also fields that search-time extraction made."""

    name: str
    about: str
    search: str
    steps: tuple[Step, ...]
    search_about: str = ""
    fixed: str = ""
    wrapped_in: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    extracted: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields it makes, helpers aside."""
        named: list[str] = []
        for step in self.steps:
            named += step.gives if isinstance(step, Command) else () if isinstance(step, Keep) else (step.name,)
        return tuple(dict.fromkeys(name for name in named if not name.startswith("cba_")))

    @property
    def list_fields(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps if isinstance(step, Field) and step.as_list)


@dataclass(frozen=True)
class Macro:
    """A macro written by hand in content/macros.yml."""

    name: str
    definition: str
    about: str = ""
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A chapter of macros."""

    title: str
    macros: tuple[Macro, ...]
    about: str = ""
