"""A Dashboard Studio view, put together panel by panel: searches, inputs, rows of panels on a grid.

The definition is what Splunk calls version 2 of a dashboard; options are those documented for Splunk 9.4 and 10:
https://help.splunk.com/en/splunk-enterprise/create-dashboards-and-reports/dashboard-studio/9.4
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence
from xml.sax.saxutils import escape

APP = "cloud_behavior_analytics"
GENERATED = "Generated from package/pages by ./dev generate; edit that instead."
WIDTH = 1200
"""Of the grid, in its own units; it fills the window."""

# Told apart by people who do not see red and green alike (after Okabe and Ito), on light and on dark; black stands out
# from all of them, and each cell also says its word.
SEVERITY_COLOURS = {
    "informational": "#9AA5B1",
    "low": "#56B4E9",
    "medium": "#F0B93A",
    "high": "#E8743B",
    "critical": "#D98BC0",
}
STATE_COLOURS = {
    "active": "#56B4E9",
    "learning": "#B9DDF3",
    "waiting": "#B9DDF3",
    "silent": "#F0B93A",
    "no data": "#9AA5B1",
    "breaker open": "#E8743B",
}
FREE_WIDTH = 90
INK = "#15181C"
ACCENT = "#0072B2"
EPOCH = "%Y-%m-%d %H:%M"

Options = dict[str, Any]


def link(view: str, **tokens: str) -> str:
    """The address of a page of the app, with its inputs filled in: `link("finding", finding="$row.id.value|u$")`."""
    query = "&".join(f"form.{name}={value}" for name, value in tokens.items())
    return f"/app/{APP}/{view}" + (f"?{query}" if query else "")


def search_link(query: str, earliest: str = "0", latest: str = "") -> str:
    """The address that opens Splunk's search page with a search."""
    return f"/app/{APP}/search?q={query}&earliest={earliest}&latest={latest}"


def opens(url: str) -> list[Options]:
    """What a click on a panel does."""
    return [{"type": "drilldown.customUrl", "options": {"url": url, "newTab": False}}]


def _widths(columns: Mapping[str, int]) -> dict[str, Options]:
    """Column formats. A table fills its panel only while one column has no width; that one counts as 90. No column is
    narrower than the longest word of its name."""
    columns = {name: max(width, 9 * max(map(len, name.split())) + 32) for name, width in columns.items()}
    free = min(columns, key=lambda column: abs(columns[column] - FREE_WIDTH))
    scale = 1.0 if 75 <= columns[free] <= 105 else FREE_WIDTH / columns[free]
    return {column: {"width": round(width * scale)} for column, width in columns.items() if column != free}


def coloured(column: str, colours: Mapping[str, str]) -> tuple[str, Options, Options]:
    """A table's column whose cells have the colour of their word: (column, format, context)."""
    context = re.sub(r"\W", "_", column.lower())
    form = {
        "rowBackgroundColors": f'> table | seriesByName("{column}") | matchValue({context}_back)',
        "rowColors": f'> table | seriesByName("{column}") | matchValue({context}_ink)',
    }
    back = [{"match": word, "value": colour} for word, colour in colours.items()]
    ink = [{"match": word, "value": INK} for word in colours]
    return column, form, {f"{context}_back": back, f"{context}_ink": ink}


@dataclass
class Board:
    """One view. Panels go on the grid row by row, each row `height` high and shared by its panels' widths."""

    name: str
    label: str
    description: str
    sources: dict[str, Options] = field(default_factory=dict)
    inputs: dict[str, Options] = field(default_factory=dict)
    panels: dict[str, Options] = field(default_factory=dict)
    structure: list[Options] = field(default_factory=list)
    _bottom: int = 0

    # -- searches -----------------------------------------------------------------------------------------------------

    def search(self, name: str, query: str, earliest: str = "$range.earliest$", latest: str = "$range.latest$") -> str:
        """A search of its own; answers its name."""
        options = {"query": query.strip(), "queryParameters": {"earliest": earliest, "latest": latest}}
        return self._source(name, {"type": "ds.search", "name": name, "options": options})

    def chain(self, name: str, base: str, query: str) -> str:
        """A search over the results of another."""
        return self._source(
            name, {"type": "ds.chain", "name": name, "options": {"extend": base, "query": query.strip()}}
        )

    def _source(self, name: str, stanza: Options) -> str:
        if name in self.sources:
            raise ValueError(f"{self.name}: two searches are called {name}")
        self.sources[name] = stanza
        return name

    # -- inputs -------------------------------------------------------------------------------------------------------

    def time_range(self, default: str = "-30d@d,now") -> None:
        self.inputs["range"] = {
            "type": "input.timerange",
            "title": "Time range",
            "options": {"token": "range", "defaultValue": default},
        }

    def choice(self, token: str, title: str, items: Mapping[str, str], default: str) -> None:
        """A dropdown; items: label -> value."""
        pairs = [{"label": label, "value": value} for label, value in items.items()]
        self.inputs[token] = {
            "type": "input.dropdown",
            "title": title,
            "options": {"token": token, "items": pairs, "defaultValue": default},
        }

    def text(self, token: str, title: str, default: str) -> None:
        self.inputs[token] = {
            "type": "input.text",
            "title": title,
            "options": {"token": token, "defaultValue": default},
        }

    # -- panels -------------------------------------------------------------------------------------------------------

    def row(self, height: int, *panels: tuple[str, int]) -> None:
        """Panels side by side: (name, width of 12)."""
        if sum(width for _, width in panels) != 12:
            raise ValueError(f"{self.name}: the widths of a row add up to 12: {panels}")
        left = 0
        for name, width in panels:
            place = {"x": left, "y": self._bottom, "w": width * WIDTH // 12, "h": height}
            self.structure.append({"item": name, "type": "block", "position": place})
            left += place["w"]
        self._bottom += height

    def _panel(
        self, name: str, kind: str, source: Optional[str], title: str, description: str = "", **stanza: Any
    ) -> str:
        if name in self.panels:
            raise ValueError(f"{self.name}: two panels are called {name}")
        panel: Options = {"type": kind, "title": title, "description": description}
        if source is not None:
            panel["dataSources"] = {"primary": source}
        panel.update({key: value for key, value in stanza.items() if value})
        self.panels[name] = {key: value for key, value in panel.items() if value != ""}
        return name

    def markdown(self, name: str, text: str) -> str:
        return self._panel(name, "splunk.markdown", None, "", options={"markdown": text.strip(), "fontSize": "default"})

    def number(self, name: str, source: str, title: str, under: str = "") -> str:
        """One number (or word): the last value of the search's first column."""
        options: Options = {"majorFontSize": 38, "trendDisplay": "off", "sparklineDisplay": "off"}
        if under:
            options["underLabel"] = under
        return self._panel(name, "splunk.singlevalue", source, title, options=options)

    def table(
        self,
        name: str,
        source: str,
        title: str,
        columns: Mapping[str, int],
        colours: Sequence[tuple[str, Options, Options]] = (),
        texts: Sequence[str] = (),
        click: str = "",
        description: str = "",
        rows: int = 20,
    ) -> str:
        """`columns`: name -> width beside the others; columns that only serve the click begin with _. `texts` are
        aligned as text also where they look like numbers."""
        form = _widths(columns)
        for column in texts:
            form.setdefault(column, {})["align"] = "left"
        context: Options = {}
        for column, formatted, more in colours:
            form.setdefault(column, {}).update(formatted)
            context.update(more)
        # What a click reads must be in the table; columns that begin with _ are not drawn.
        read = [name for name in re.findall(r"\$row\.(\w+)\.value", click) if name not in columns]
        if visible := [name for name in read if not name.startswith("_")]:
            raise ValueError(f"{self.name}, {name}: a click reads {visible}; begin names that are not shown with _")
        names = ", ".join(json.dumps(column) for column in [*columns, *read])
        options: Options = {
            "count": rows,
            "table": f"> primary | frameBySeriesNames({names})",
            "columnFormat": form,
            "showInternalFields": False,
        }
        return self._panel(
            name,
            "splunk.table",
            source,
            title,
            description,
            options=options,
            context=context,
            eventHandlers=opens(click) if click else None,
        )

    def columns(self, name: str, source: str, title: str, **options: Any) -> str:
        return self._panel(name, "splunk.column", source, title, options=options)

    def bars(self, name: str, source: str, title: str, **options: Any) -> str:
        return self._panel(name, "splunk.bar", source, title, options=options)

    def days(self, name: str, source: str, title: str, description: str = "") -> str:
        """A heat map of days: columns day, value, size; size is 1 where the value is established, else 2."""
        options = {
            "showDynamicBubbleSize": False,
            "bubbleLabelDisplay": "off",
            "bubbleRadiusMax": 7,
            "bubbleRadiusMin": 7,
            "legendDisplay": "off",
            "colorMode": "dynamic",
            "bubbleColor": "> size | rangeValue(day_colours)",
        }
        colours = [{"to": 2, "value": ACCENT}, {"from": 2, "value": SEVERITY_COLOURS["medium"]}]
        context = {"day_colours": colours}
        return self._panel(name, "splunk.punchcard", source, title, description, options=options, context=context)

    # -- output -------------------------------------------------------------------------------------------------------

    def definition(self) -> Options:
        return {
            "title": self.label,
            "description": self.description,
            "dataSources": self.sources,
            "inputs": self.inputs,
            "visualizations": self.panels,
            "layout": {
                "type": "grid",
                "options": {"width": WIDTH},
                "globalInputs": list(self.inputs),
                "structure": self.structure,
            },
        }

    def xml(self) -> str:
        text = json.dumps(self.definition(), indent=2, ensure_ascii=False)
        if "]]>" in text:
            raise ValueError(f"{self.name}: a definition cannot hold ]]>")
        return (
            f"<!-- {GENERATED} -->\n"
            '<dashboard version="2" theme="light">\n'
            f"  <label>{escape(self.label)}</label>\n"
            f"  <description>{escape(self.description)}</description>\n"
            f"  <definition><![CDATA[\n{text}\n]]></definition>\n"
            "</dashboard>\n"
        )


def navigation(pages: Sequence[str], others: Sequence[str]) -> str:
    """default/data/ui/nav/default.xml: the app's pages, the first of them first, then Splunk's own."""
    lines = [
        f'  <view name="{name}"{" default=" + chr(34) + "true" + chr(34) if name == pages[0] else ""}/>'
        for name in pages
    ]
    lines += [f'  <view name="{name}"/>' for name in others]
    return "\n".join([f"<!-- {GENERATED} -->", f'<nav search_view="search" color="{ACCENT}">', *lines, "</nav>", ""])
