"""What is wrong with a Dashboard Studio definition, beyond what a schema can say. `faults` gives one line for each."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping

from pages.board import UNSET_WIDTH, WIDTH, header_width, room

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
    yield from _widths(definition)
    yield from _tokens(definition)


def _searches(definition: Definition) -> Iterator[str]:
    sources = definition["dataSources"]
    used = {base for source in sources.values() if (base := source["options"].get("extend"))}
    for place in ("visualizations", "inputs"):
        used |= {name for stanza in definition[place].values() for name in stanza.get("dataSources", {}).values()}
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
            tokens = {given["options"]["token"] for given in definition["inputs"].values()}
            for chosen in handler["options"].get("tokens", []):
                if chosen["token"] not in tokens:
                    yield f"panel {name}: a click sets {chosen['token']!r}, which no input shows"


def _widths(definition: Definition) -> Iterator[str]:
    """What does not fit into a window of 1280 pixels: tables that scroll sideways, headers whose words break."""
    places = {item["item"]: item["position"]["w"] for item in definition["layout"]["structure"]}
    for name, panel in definition["visualizations"].items():
        options = panel.get("options", {})
        frame = FRAME.search(options.get("table", ""))
        if not frame or name not in places or options.get("headerVisibility") == "none":
            continue
        columns = [column for column in json.loads(f"[{frame[1]}]") if not column.startswith("_")]
        given = {column: options["columnFormat"].get(column, {}).get("width") for column in columns}
        widths = {column: width or UNSET_WIDTH for column, width in given.items()}
        space = room(12 * places[name] // WIDTH)
        if sum(widths.values()) > space:
            yield f"panel {name}: its columns take {sum(widths.values())} pixels of {space:.0f}"
        if len(columns) > 1 and None not in given.values():
            yield f"panel {name}: every column has a width, so that the table does not fill its panel"
        stretched = max(1.0, space / sum(widths.values()))
        for column, width in widths.items():
            if width * stretched < header_width(column) - 2:
                yield f"panel {name}: a word of the column {column} breaks"


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
