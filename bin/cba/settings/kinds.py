"""The kinds of settings, each with what it accepts and what it says about a value that it does not.

Values are text, as a conf file and a REST call have them. Where `optional` is set, empty means that the setting says
nothing and what the app ships with holds.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Callable, Mapping, Optional

TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})

_SHOWN = 200
"""Characters of a value that a message repeats."""

Values = Mapping[str, str]
Rule = Callable[[Values], Optional[str]]
"""What is wrong with the values of a whole stanza, or None."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """One key of a stanza. `label` and `help` are shown on the configuration page."""

    key: str
    label: str
    help: str
    default: str = ""

    @property
    def optional(self) -> bool:
        """Whether it may be empty."""
        return True

    @property
    def problem(self) -> str:
        """What it must be, in words: what the person is told who set something else."""
        return ""

    def accepts(self, value: str) -> bool:
        """Whether a value that is not empty will do."""
        return True

    def fault(self, value: str) -> Optional[str]:
        """What is wrong with the value, or None."""
        value = value.strip()
        if self.accepts(value) if value else self.optional:
            return None
        return f"{self.label} ({self.key}) is {value[:_SHOWN]!r}. {self.problem}"


@dataclasses.dataclass(frozen=True)
class Switch(Setting):
    """On (1) or off (0)."""

    @property
    def optional(self) -> bool:
        return False

    @property
    def problem(self) -> str:
        return "It must be 1 (on) or 0 (off)."

    def accepts(self, value: str) -> bool:
        return value.lower() in TRUE_WORDS | FALSE_WORDS


@dataclasses.dataclass(frozen=True)
class OneOf(Setting):
    """One of a few words; `options` maps them to their labels."""

    options: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def optional(self) -> bool:
        return False

    @property
    def problem(self) -> str:
        return f"It must be one of {', '.join(self.options)}."

    def accepts(self, value: str) -> bool:
        return value in self.options


@dataclasses.dataclass(frozen=True)
class Number(Setting):
    """A whole number between `least` and `most`, both included."""

    least: int = 0
    most: int = 0

    @property
    def optional(self) -> bool:
        return not self.default

    @property
    def problem(self) -> str:
        return f"It must be a whole number from {self.least} to {self.most}" + (", or empty." if self.optional else ".")

    def accepts(self, value: str) -> bool:
        return bool(re.fullmatch(r"[0-9]{1,9}", value)) and self.least <= int(value) <= self.most


@dataclasses.dataclass(frozen=True)
class Text(Setting):
    """A text that matches `pattern` (an expression that JavaScript and Python read alike); `expected` says it in words.

    `parse` looks closer than a pattern can, on the search head only: what is wrong with the text, or None.
    """

    pattern: str = ".*"
    expected: str = ""
    longest: int = 4000
    several_lines: bool = False
    parse: Optional[Callable[[str], Optional[str]]] = None

    @property
    def problem(self) -> str:
        return self.expected

    def accepts(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None

    def fault(self, value: str) -> Optional[str]:
        if len(value) > self.longest:
            return f"{self.label} ({self.key}) has {len(value)} characters; at most {self.longest} are taken."
        unseen = next((c for c in value.strip() if not c.isprintable() and (c != "\n" or not self.several_lines)), None)
        if unseen is not None:
            return f"{self.label} ({self.key}) has a character that cannot be seen ({unseen!r})."
        found = super().fault(value)
        if found is None and value.strip() and self.parse is not None:
            closer = self.parse(value.strip())
            found = f"{self.label} ({self.key}): {closer}" if closer else None
        return found


@dataclasses.dataclass(frozen=True)
class Lines(Text):
    """A longer text, entered in a box of several lines."""

    longest: int = 20_000
    several_lines: bool = True


@dataclasses.dataclass(frozen=True)
class Group:
    """Settings shown together under a heading."""

    label: str
    settings: tuple[Setting, ...]


@dataclasses.dataclass(frozen=True)
class Tab:
    """A tab of the configuration page and the stanza that it writes. `rules` are about several settings at once."""

    stanza: str
    title: str
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...] = ()

    @property
    def settings(self) -> tuple[Setting, ...]:
        return tuple(setting for group in self.groups for setting in group.settings)

    @property
    def defaults(self) -> dict[str, str]:
        return {setting.key: setting.default for setting in self.settings}

    def usable(self, values: Values) -> dict[str, str]:
        """The values, with the default of each that is at fault; all of the defaults where they do not go together."""
        each = {
            setting.key: setting.default if setting.fault(given) else given.strip()
            for setting in self.settings
            for given in [values.get(setting.key, setting.default)]
        }
        return self.defaults if any(rule(each) for rule in self.rules) else each

    def faults(self, values: Values) -> list[str]:
        """Everything that is wrong with the values of this stanza. A missing key has its default."""
        known = {setting.key: setting for setting in self.settings}
        found = [
            f"{key} is not a setting of [{self.stanza}]; there are {', '.join(known)}."
            for key in values
            if key not in known
        ]
        for key, setting in known.items():
            fault = setting.fault(values.get(key, setting.default))
            if fault:
                found.append(fault)
        if not found:
            complete = {**self.defaults, **{key: value.strip() for key, value in values.items()}}
            found = [fault for fault in (rule(complete) for rule in self.rules) if fault]
        return found
