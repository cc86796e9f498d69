"""Model -> SPL: the commands that make a source's fields."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from spl import compact

from sources.model import Cases, Command, Field, FirstOf, Keep, Lookup, Made, Raw, Source, Spl, Step, Text, Value
from sources.paths import ARRAY, Reads
from sources.reader import READ

BREAK = " \\\n"
COMMON = [
    "project",
    "identity",
    "identity_type",
    "session",
    "access_key",
    "operation",
    "service",
    "outcome",
    "error_code",
    "region",
    "src_ip",
    "vpc_endpoint",
    "user_agent",
    "resource",
    "action",
    "function",
    "role",
    "runtime",
    "runtime_exact",
    "package_type",
    "function_write",
    "skip_reason",
]
"""Fields that a source which does not make them has as null: raw events may have fields of these names."""
CLOCK = {
    "event_time": "floor(_time)",
    "day": "floor(_time/86400)",
    "bucket": "floor(_time/900)*900",
    "indexed": "floor(_indextime/900)*900",
}
"""The second of an event, its UTC day, and the 15 minutes in which it happened and was indexed."""
ABSENT = r"([\[,:]\s*)\"\s*(?:<null>)?\"(?=\s*[,\]}])"
"""What is no value, in JSON text: "", blank text and "<null>". Quotes inside of texts are escaped, so this never
matches in the middle of one."""
POSITIONS = {"first": 0, "last": -1}
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def fields_commands(source: Source) -> str:
    """The commands of `cba_fields_<source>`."""
    writer = _Writer(source)
    writer.blocks(source.steps)  # finds out what is read, for the one parse of the event at the start
    return compact(f"{BREAK}| ".join(writer.blocks(source.steps)))


class _Writer:
    def __init__(self, source: Source) -> None:
        self.documents = {name: Reads(text=name, array=f"{ARRAY}_{name[len('cba_') :]}") for name in source.documents}
        self.source = source.name
        self.reads = Reads(source.wrapped_in, {}, source.extracted)

    def blocks(self, steps: tuple[Step, ...]) -> list[str]:
        """The commands, with neighbouring assignments in one eval."""
        self.reads.documents.clear()
        made = {step.name for step in steps if not isinstance(step, Command)}
        # What a command leaves alone (rex, where nothing matches) must not stay from the event.
        empty = dict.fromkeys([n for n in COMMON if n not in made] + [s.name for s in steps if _only_adds(s)])
        late = self.reads.fields.intersection(empty)
        given = {
            "source_kind": quoted(self.source),
            **CLOCK,
            **dict.fromkeys((n for n in empty if n not in late), "null()"),
        }
        written = [
            ("eval", _parse("_raw", self.reads)),
            *(("eval", f"{name}={value}") for name, value in given.items()),
        ]
        written += [each for step in steps for each in self.step(step)]
        written += [("eval", f"{name}=null()") for name in sorted(late)]
        blocks = []
        for kind, group in groupby(written, key=lambda each: each[0]):
            texts = [text for _, text in group]
            if kind == "eval":
                blocks.append("eval " + f",{BREAK}  ".join(texts))
            else:
                blocks += texts
        return blocks

    def step(self, step: Step) -> list[tuple[str, str]]:
        if isinstance(step, Lookup):
            match = " ".join(column if column == name else f"{column} AS {name}" for column, name in step.match)
            return [("lookup", f"lookup {step.table} {match} OUTPUT {step.output} AS {step.name}")]
        if isinstance(step, Command):
            return [("command", self.expression(step.text))]
        if isinstance(step, Keep):
            return [("where", f"where {self.expression(step.condition)}")]
        return [("eval", text) for text in self._assignments(step)]

    def _assignments(self, made: Field) -> list[str]:
        name = made.name
        value = self.value(made.value)
        if made.as_list:
            value = f"mv_to_json_array(mvsort(mvdedup({value})))"
        lines = [f"{name}={value}"]
        if made.address:
            lines.append(f"`cba_address({name}, {POSITIONS[made.address]})`")
        if name in self.documents:
            inner = self.reads.documents[name] = self.documents[name]
            lines.append(_parse(name, inner))
        return lines

    def value(self, value: Value) -> str:
        text = self._base(value)
        if value.part is not None:
            text = f"mvindex(split({text}, {quoted(value.part[0])}), {value.part[1]})"
        if value.replace is not None:
            text = f"replace({text}, {quoted(value.replace[0])}, {quoted(value.replace[1])})"
        if value.json:
            text = _json(text)
        if value.lower:
            text = f"lower({text})"
        for nothing in value.absent:
            text = f"nullif({text}, {quoted(nothing)})"
        return f"if({self.expression(value.when)}, {text}, null())" if value.when else text

    def _base(self, value: Value) -> str:
        base = value.base
        if isinstance(base, Raw):
            return first(self.reads.variants(base.path))
        if isinstance(base, Made):
            return base.name if _SIMPLE.match(base.name) else f"'{base.name}'"
        if isinstance(base, Text):
            return quoted(base.text)
        if isinstance(base, Spl):
            return self.expression(base.expression)
        if isinstance(base, FirstOf):
            return first([text for each in base.values for text in self._candidates(each)])
        assert isinstance(base, Cases)
        pairs = []
        for case in base.values:
            condition = self.expression(case.when) if case.when else "true()"
            pairs.append(f"{condition}, {self.value(replace(case, when=''))}")
        return f"case({', '.join(pairs)})"

    def _candidates(self, value: Value) -> list[str]:
        """A value as candidates of a list of which the first counts: a path stands in several places."""
        if isinstance(value.base, Raw) and value == Value(value.base):
            return self.reads.variants(value.base.path)
        return [self.value(value)]

    def expression(self, text: str) -> str:
        return READ.sub(lambda found: first(self.reads.variants(found[1])), text)


def _only_adds(step: Step) -> bool:
    return isinstance(step, Command) and not step.gives


def first(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _parse(text: str, reads: Reads) -> str:
    """The assignment that takes everything a source reads from an event, at once."""
    paths = ", ".join(map(quoted, reads.found))
    return f"{reads.array}={_json(f'json_extract({text}, {paths})')}"


def _json(text: str) -> str:
    """JSON text in which all that is no value is null."""
    return f'replace({text}, "{ABSENT}", "\\1null")'
