"""What add-ons make of events before a search sees them: aliases and calculated fields of a props.conf.

Aliases come after extraction, and calculated fields after aliases
(https://help.splunk.com/splunk-enterprise/manage-knowledge-objects/knowledge-management-manual/10.0/get-started-with-knowledge-objects/the-sequence-of-search-time-operations).
An alias of a field that is not there takes an older field of its name away, unless it is written ASNEW
(https://help.splunk.com/splunk-enterprise/release-notes-and-updates/release-notes/9.4/known-issues-for-this-release/field-alias-behavior-change).
Calculated fields do not see one another, and may replace what was extracted
(https://help.splunk.com/en/splunk-enterprise/manage-knowledge-objects/knowledge-management-manual/10.0/calculated-fields).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional

from lab.conf import Stanza
from lab.spl.evalcompile import check, compile_value, is_boolean
from lab.spl.evalparse import fields_of, parse_eval
from lab.spl.values import Row

_ALIAS = re.compile(r'\s*("[^"]+"|\S+)\s+(AS|ASNEW)\s+("[^"]+"|\S+)\s*,?', re.IGNORECASE)
_FIXED = frozenset({"index", "sourcetype", "splunk_server"})
"""What finds events before any field of theirs is made."""


@dataclass(frozen=True)
class _Alias:
    field: str
    alias: str
    keeps: bool
    """Whether a field that has the name already stays."""


@dataclass(frozen=True)
class _Calculated:
    name: str
    value: Callable[[Callable[[str], Any], float], Any]


class SearchTime:
    """The rules of stanzas that are source types. Anything else is an error rather than ignored."""

    def __init__(self, stanzas: Mapping[str, Stanza]) -> None:
        self.names: set[str] = set()
        """All fields that the rules read or make."""
        self._aliases: dict[str, list[_Alias]] = {}
        self._calculated: dict[str, list[_Calculated]] = {}
        for name, stanza in stanzas.items():
            for key, value in stanza.settings.items():
                self._take(name, stanza, key, value)

    def _take(self, sourcetype: str, stanza: Stanza, key: str, value: str) -> None:
        if "::" in sourcetype:
            raise stanza.error(key, "the lab knows stanzas of source types only.")
        kind, _, rest = key.partition("-")
        if kind.upper() == "FIELDALIAS":
            aliases = list(_aliases(stanza, key, value))
            self._aliases.setdefault(sourcetype, []).extend(aliases)
            made = {alias.alias for alias in aliases}
            self.names |= made.union(alias.field for alias in aliases)
        elif kind.upper() == "EVAL":
            node = parse_eval(value)
            check(node)
            if is_boolean(node):
                raise stanza.error(key, "a truth value is no value of a field.")
            self._calculated.setdefault(sourcetype, []).append(_Calculated(rest, compile_value(node)))
            made = {rest}
            self.names |= made | fields_of(node)
        else:
            raise stanza.error(key, f"the lab does not know search-time setting '{key}' of props.conf.")
        wrong = next((name for name in sorted(made) if name.startswith("_") or name in _FIXED), None)
        if wrong:
            raise stanza.error(key, f"'{wrong}' is not a field to be made at search time.")

    def apply(self, row: Row, sourcetype: str, now: float) -> None:
        """Gives an event, as extracted, its aliases and calculated fields."""
        for rule in self._aliases.get(sourcetype, ()):
            if rule.field in row:
                if not (rule.keeps and rule.alias in row):
                    row[rule.alias] = row[rule.field]
            elif not rule.keeps:
                row.pop(rule.alias, None)
        found: list[tuple[str, Optional[Any]]] = [
            (rule.name, rule.value(row.get, now)) for rule in self._calculated.get(sourcetype, ())
        ]
        for name, value in found:
            if value is None:
                row.pop(name, None)
            else:
                row[name] = value


def _aliases(stanza: Stanza, key: str, value: str) -> Iterator[_Alias]:
    if _ALIAS.sub("", value).strip():
        raise stanza.error(key, f"{key} = {value}: expected <field> AS <alias> or <field> ASNEW <alias>.")
    for field, how, alias in _ALIAS.findall(value):
        yield _Alias(field.strip('"'), alias.strip('"'), how.upper() == "ASNEW")
