"""What is wrong with a Dashboard Studio definition, beyond what a schema can say. `faults` gives one line for each."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping

TOKEN = re.compile(r"\$([A-Za-z_][\w.:]*)(\|[a-z])?\$")
EVENT_TOKENS = ("row.", "click.", "value", "name", "trellis.")
"""Set by a click, for what the click does."""
HANDLERS = ("drilldown.customUrl", "drilldown.setToken", "drilldown.linkToDashboard")
TOP_LEVEL = frozenset({"title", "description", "dataSources", "inputs", "visualizations", "layout", "defaults"})
FRAME = re.compile(r"frameBySeriesNames\((.*)\)")
NAMED = re.compile(r"^> \w+ \| .*?(?:rangeValue|matchValue|gradient)\((\w+)\)")

Definition = Mapping[str, Any]


def faults(definition: Definition, options: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """`options`: kind of panel -> its known options, as the schema names them."""
    yield from (f"unknown key {key!r}" for key in sorted(set(definition) - TOP_LEVEL))
    yield from _searches(definition)
    yield from _panels(definition, options)
    yield from _layout(definition)
    yield from _tokens(definition)


def _searches(definition: Definition) -> Iterator[str]:
    sources = definition["dataSources"]
    used = {base for source in sources.values() if (base := source["options"].get("extend"))}
    used |= {name for panel in definition["visualizations"].values() for name in panel.get("dataSources", {}).values()}
    for name, source in sources.items():
        given = source["options"]
        if not given.get("query"):
            yield f"search {name} has no query"
        if source["type"] == "ds.chain" and given.get("extend") not in sources:
            yield f"search {name} extends {given.get('extend')!r}, which is none"
        if name not in used:
            yield f"search {name} is shown nowhere"


def _panels(definition: Definition, options: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, panel in definition["visualizations"].items():
        for source in panel.get("dataSources", {}).values():
            if source not in definition["dataSources"]:
                yield f"panel {name} shows {source!r}, which is no search"
        for option, value in panel.get("options", {}).items():
            if option not in options[panel["type"]]:
                yield f"panel {name}: {panel['type']} has no option {option!r}"
            yield from (
                f"panel {name}: no {context!r} in its context"
                for context in NAMED.findall(json.dumps(value)[1:-1] if isinstance(value, str) else "")
                if context not in panel.get("context", {})
            )
        for handler in panel.get("eventHandlers", []):
            if handler["type"] not in HANDLERS:
                yield f"panel {name}: unknown event handler {handler['type']!r}"


def _layout(definition: Definition) -> Iterator[str]:
    layout = definition["layout"]
    placed = [item["item"] for item in layout["structure"]]
    for name in sorted(set(definition["visualizations"]) ^ set(placed)):
        yield f"panel {name} is defined or placed, not both"
    for name in sorted(set(definition["inputs"]) ^ set(layout["globalInputs"])):
        yield f"input {name} is defined or placed, not both"
    if len(set(placed)) < len(placed):
        yield "a panel is placed twice"
    for item in layout["structure"]:
        if set(item["position"]) != {"x", "y", "w", "h"}:
            yield f"panel {item['item']} has no full position"


def _tokens(definition: Definition) -> Iterator[str]:
    known = set()
    for name, given in definition["inputs"].items():
        token = given["options"]["token"]
        if token in known:
            yield f"two inputs set the token {token}"
        known.add(token)
        if given["type"] == "input.timerange":
            known |= {f"{token}.earliest", f"{token}.latest"}
        if not given["options"].get("defaultValue"):
            yield f"input {name} has no default: panels would wait for it"
    for place in ("dataSources", "visualizations"):
        for name, stanza in definition[place].items():
            handlers = json.dumps(stanza.get("eventHandlers", []))
            rest = json.dumps({key: value for key, value in stanza.items() if key != "eventHandlers"})
            for token, _ in TOKEN.findall(rest):
                if token not in known:
                    yield f"{name}: nothing sets the token {token}"
            for token, _ in TOKEN.findall(handlers):
                if token not in known and not token.startswith(EVENT_TOKENS):
                    yield f"{name}: nothing sets the token {token}"
