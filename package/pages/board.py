"""A Dashboard Studio view, put together panel by panel: searches, inputs, rows of panels on a grid.

The definition is what Splunk calls version 2 of a dashboard; options are those documented for Splunk 9.4 and 10:
https://help.splunk.com/en/splunk-enterprise/create-dashboards-and-reports/dashboard-studio/9.4
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union
from xml.sax.saxutils import escape

from pages.spl import bare_tokens

APP = "cloud_behavior_analytics"
GENERATED = "Generated from package/pages by ./dev generate; edit that instead."
WIDTH = 1200
"""Of the grid, in its own units; it fills the window."""

MOST_AT_ONCE = 100
"""Findings that an address names for the form: it stays short enough for every proxy."""

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
    "behind": "#F0B93A",
    "breaker open": "#E8743B",
    "fault": "#E8743B",
    "off": "#D0D5DB",
}
OWN, OPEN = "this finding", "in an open finding"
DAY_COLOURS = {"established": "#56B4E9", "provisional": "#F0B93A", OWN: "#E8743B", OPEN: "#E8743B"}
SHADES: Mapping[str, Mapping[str, int]] = {
    "#56B4E9": {"to": 2},
    "#0072B2": {"from": 2, "to": 5},
    "#E8743B": {"from": 5},
}
"""Of a country on the map: colour -> number of findings, from (included) and to."""
UNSET_WIDTH = 90
"""What a column without a width counts as."""
INK = "#15181C"
ACCENT = "#0072B2"
WHEN = "%Y-%m-%d %H:%M %Z"
"""A time as pages show it: in the zone of whoever looks, which strftime takes from the user's settings, and named."""
VERDICT = f"/static/app/{APP}/verdict.html"
"""The form on which verdicts are given. Not a search: a search runs as soon as the address of a page with its tokens is
opened, and a verdict must not be given by opening an address."""

Options = dict[str, Any]


def link(view: str, **tokens: str) -> str:
    """The address of a page of the app, with its inputs filled in: `link("finding", finding="$row.id.value|u$")`."""
    query = "&".join(f"form.{name}={value}" for name, value in tokens.items())
    return f"/app/{APP}/{view}" + (f"?{query}" if query else "")


def search_link(query: str, earliest: str = "0", latest: str = "") -> str:
    """The address that opens Splunk's search page with a search."""
    return f"/app/{APP}/search?q={query}&earliest={earliest}&latest={latest}"


def report_link(path: str) -> str:
    """The address that opens Splunk's search page with a saved search and its time range, as Splunk Web itself writes
    it; `path` is the column that holds the saved search's path in REST. A search that writes does not run unasked."""
    return f"/app/{APP}/search?s=$row.{path}.value|u$"


def manager_link(text: str) -> str:
    """The address of Splunk's list of those saved searches of the app that have the text: where they are enabled. As
    Splunk Web itself writes it."""
    return f"/manager/{APP}/saved/searches?app={APP}&count=100&offset=0&itemType=&owner=&search={text}"


def opens(url: str) -> list[Options]:
    """What a click on a panel does: it opens a page."""
    return [{"type": "drilldown.customUrl", "options": {"url": url, "newTab": False}}]


def chooses(token: str, column: str) -> list[Options]:
    """What a click on a panel does: it sets an input to what the row has in a column. The panels that may do so:
    https://help.splunk.com/en/splunk-enterprise/create-dashboards-and-reports/dashboard-studio/9.4/add-dashboard-interactions/setting-tokens-on-a-visualization-click
    """
    return [{"type": "drilldown.setToken", "options": {"tokens": [{"token": token, "key": f"row.{column}.value"}]}}]


# What a table needs, in pixels; headers are bold 14 px text. Measured with the widest of the fonts that the renderer's
# style sheet may end with (DejaVu Sans); Splunk's own is narrower.
NARROW, WIDE = frozenset("fijlrtI.,:;'-()|/ "), frozenset("mwMW@%")
LETTER_WIDTHS = {"narrow": 6.2, "wide": 14.6, "other": 9.8}
HEADER_ROOM, CELL_ROOM = 38, 18
"""Padding and border; in a header also the sign that sorts."""
PLAIN = 0.93
"""How wide plain text is beside bold."""
NARROWEST_WINDOW = 1235
"""Of 1280 pixels, less the page's edges and a scroll bar."""
PANEL_EDGES = 8 + 16 + 15
"""The gap between panels, the table's padding, and a scroll bar of its own."""

ROOT = Path(__file__).resolve().parents[2]
DETECTIONS = tuple(sorted(path.parent.name for path in (ROOT / "content/detections").glob("*/detection.yml")))
DAY = "2026-12-31"
WORDS = {
    "Detection": max(DETECTIONS, key=len),
    "Severity": max(SEVERITY_COLOURS, key=len),
    "State": "established",
    "Scope": "organization",
    "Source": "kubernetes",
    "Dimension": "function_write",
    "Status": "progress",
    **dict.fromkeys(("When", "First", "Last", "First day", "Last day", "Newest"), DAY),
}
"""Column -> the longest word that its cells hold, on any page; it does not break where there is room for it."""


def text_width(text: str) -> float:
    """At most how many pixels a text takes in a header."""
    kinds = ("narrow" if letter in NARROW else "wide" if letter in WIDE else "other" for letter in text)
    return sum(LETTER_WIDTHS[kind] for kind in kinds)


def header_width(column: str) -> float:
    """How many pixels a column needs so that no word of its name breaks."""
    return max(map(text_width, column.split())) + HEADER_ROOM


def room(share: int) -> float:
    """How many pixels a table has in a panel of `share` twelfths, in a window of 1280."""
    return NARROWEST_WINDOW * share / 12 - PANEL_EDGES


def widths(columns: Mapping[str, int], words: Mapping[str, str], share: int) -> dict[str, int]:
    """Column -> width, of all but one: a table fills its panel only while one column has none, and counts that as 90.

    The renderer (@splunk/visualizations, Table) lays columns out with `table-layout: fixed`: where the widths add up
    to less than the panel has, all grow in proportion; where to more, the table scrolls. So they are made to add up to
    what a panel of `share` twelfths has at 1280 pixels: in proportion to `columns`, but none narrower than its name,
    or than the longest word its cells hold (`words`) where there is room for all of those. Raises ValueError where
    there is not even room for the names.
    """
    given = room(share)
    named = {name: header_width(name) for name in columns}
    if sum(named.values()) > given:
        raise ValueError(f"{list(columns)} need {sum(named.values()):.0f} pixels, the panel has {given:.0f}")
    least = {name: max(width, text_width(words.get(name, "")) * PLAIN + CELL_ROOM) for name, width in named.items()}
    if sum(least.values()) > given:
        least = named
    # Columns that would become narrower than their least have that, and the others share the rest.
    fixed: dict[str, float] = {}
    while True:
        free = [name for name in columns if name not in fixed]
        rest = (given - sum(fixed.values())) / sum(columns[name] for name in free) if free else 0
        narrow = {name: least[name] for name in free if columns[name] * rest < least[name]}
        if not narrow:
            break
        fixed.update(narrow)
    found = {name: fixed.get(name, columns[name] * rest) for name in columns}
    # The one without is the narrowest of those that 90 makes no wider; the others shrink in proportion.
    wide = [name for name in columns if found[name] >= UNSET_WIDTH] or [max(columns, key=found.__getitem__)]
    unset = min(wide, key=found.__getitem__)
    return {name: int(width * UNSET_WIDTH / found[unset]) for name, width in found.items() if name != unset}


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
    _columns: dict[str, Mapping[str, int]] = field(default_factory=dict)

    # -- searches -----------------------------------------------------------------------------------------------------

    def search(
        self,
        name: str,
        query: str,
        earliest: str = "$range.earliest$",
        latest: str = "$range.latest$",
        refresh: str = "",
    ) -> str:
        """A search of its own; answers its name. With `refresh` (1m) it runs again so long after it was done."""
        options: Options = {"query": query.strip(), "queryParameters": {"earliest": earliest, "latest": latest}}
        if refresh:
            options.update(refresh=refresh, refreshType="delay")
        return self._source(name, {"type": "ds.search", "name": name, "options": options})

    def chain(self, name: str, base: str, query: str) -> str:
        """A search over the results of another."""
        return self._source(
            name, {"type": "ds.chain", "name": name, "options": {"extend": base, "query": query.strip()}}
        )

    def _source(self, name: str, stanza: Options) -> str:
        if bare := bare_tokens(stanza["options"]["query"]):
            raise ValueError(
                f"{self.name}: in the search {name}, what {bare[0]} stands for could be any SPL; see pages.spl"
            )
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

    def choice_of(self, token: str, title: str, source: str) -> None:
        """A dropdown of what a search finds (columns label and value; * for all), in the form in which the editor of
        Dashboard Studio itself writes a dynamic menu."""

        def shown(column: str) -> str:
            return f'> primary | seriesByName("{column}") | renameSeries("{column}") | formatByType(formattedConfig)'

        self.inputs[token] = {
            "type": "input.dropdown",
            "title": title,
            "dataSources": {"primary": source},
            "options": {
                "token": token,
                "defaultValue": "*",
                "items": "> frame(label, value) | objects()",
            },
            "context": {
                "formattedConfig": {"number": {"prefix": ""}},
                "label": shown("label"),
                "value": shown("value"),
            },
        }

    def text(self, token: str, title: str, default: str) -> None:
        self.inputs[token] = {
            "type": "input.text",
            "title": title,
            "options": {"token": token, "defaultValue": default},
        }

    # -- panels -------------------------------------------------------------------------------------------------------

    def row(self, height: int, *panels: tuple[Union[str, Mapping[str, int]], int]) -> None:
        """Panels side by side: (name, width of 12), or several above one another: ({name: height, …}, width)."""
        if sum(width for _, width in panels) != 12:
            raise ValueError(f"{self.name}: the widths of a row add up to 12: {panels}")
        left = 0
        for names, width in panels:
            stack = {names: height} if isinstance(names, str) else names
            if sum(stack.values()) != height:
                raise ValueError(f"{self.name}: the heights of {list(stack)} add up to the row's {height}")
            top = self._bottom
            for name, high in stack.items():
                place = {"x": left, "y": top, "w": width * WIDTH // 12, "h": high}
                self.structure.append({"item": name, "type": "block", "position": place})
                top += high
                if name in self._columns:
                    self._set_widths(name, width)
            left += width * WIDTH // 12
        self._bottom += height

    def _set_widths(self, name: str, share: int) -> None:
        """Of the columns of a table, now that it has a place."""
        columns = self._columns[name]
        try:
            found = widths(columns, WORDS, share)
        except ValueError as error:
            raise ValueError(f"{self.name}, {name}: {error}; widen the panel or shorten the names") from error
        form = self.panels[name]["options"]["columnFormat"]
        for column, width in found.items():
            form.setdefault(column, {})["width"] = width

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

    def number(self, name: str, source: str, title: str, under: str = "", size: int = 38) -> str:
        """One number (or word): the last value of the search's first column. `size` in pixels."""
        options: Options = {
            "majorFontSize": size,
            "trendDisplay": "off",
            "sparklineDisplay": "off",
        }
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
        click: str | list[Options] = "",
        description: str = "",
        rows: int = 20,
        header: bool = True,
    ) -> str:
        """`columns`: name -> width beside the others (see `widths`). `texts` are columns aligned as text also where
        they look like numbers. `click`: an address, or what `chooses` gives."""
        form: dict[str, Options] = {}
        for column in texts:
            form.setdefault(column, {})["align"] = "left"
        context: Options = {}
        for column, formatted, more in colours:
            form.setdefault(column, {}).update(formatted)
            context.update(more)
        handlers = opens(click) if click and isinstance(click, str) else click
        # What a click reads must be in the table; columns that begin with _ are not drawn.
        read = [name for name in re.findall(r"\brow\.(\w+)\.value", json.dumps(handlers)) if name not in columns]
        if visible := [name for name in read if not name.startswith("_")]:
            raise ValueError(f"{self.name}, {name}: a click reads {visible}; begin names that are not shown with _")
        names = ", ".join(json.dumps(column) for column in [*columns, *read])
        options: Options = {
            "count": rows,
            "table": f"> primary | frameBySeriesNames({names})",
            "columnFormat": form,
            "showInternalFields": False,
            **({} if header else {"headerVisibility": "none"}),
        }
        self._columns[name] = columns
        return self._panel(
            name,
            "splunk.table",
            source,
            title,
            description,
            options=options,
            context=context,
            eventHandlers=handlers,
        )

    def columns(self, name: str, source: str, title: str, description: str = "", **options: Any) -> str:
        return self._panel(name, "splunk.column", source, title, description, options=options)

    def bars(self, name: str, source: str, title: str, **options: Any) -> str:
        return self._panel(name, "splunk.bar", source, title, options=options)

    def days(
        self,
        name: str,
        source: str,
        title: str,
        labels: Sequence[str],
        count: int,
        description: str = "",
    ) -> str:
        """A heat map of days: a table of the columns `labels` and one for each day, d<count> … d1, coloured by the
        words of s<count> … s1. Without a header nobody sorts it, so the colours keep to their rows."""
        form: dict[str, Options] = {
            labels[0]: {"width": 110, "align": "left"},
            **{label: {"align": "left"} for label in labels[1:]},
        }
        columns = [f"d{back}" for back in range(count, 0, -1)]
        for column in columns:
            state = f'> primary | seriesByName("s{column[1:]}")'
            form[column] = {
                "width": 30,
                "align": "center",
                "rowBackgroundColors": f"{state} | matchValue(day_back)",
                "rowColors": f"{state} | matchValue(day_ink)",
            }
        context = {
            "day_back": [{"match": word, "value": colour} for word, colour in DAY_COLOURS.items()],
            "day_ink": [{"match": word, "value": INK} for word in DAY_COLOURS],
        }
        names = ", ".join(json.dumps(column) for column in [*labels, *columns])
        options = {
            "count": 50,
            "table": f"> primary | frameBySeriesNames({names})",
            "columnFormat": form,
            "headerVisibility": "none",
            "fontSize": "extraSmall",
        }
        return self._panel(name, "splunk.table", source, title, description, options=options, context=context)

    def world(self, name: str, source: str, title: str, description: str, click: list[Options]) -> str:
        """A map of countries, without tiles from elsewhere: columns name (as in the lookup cba_countries) and findings.
        https://docs.splunk.com/Documentation/SplunkCloud/latest/DashStudio/mapsChor
        """
        layer = {
            "type": "choropleth",
            "source": "geo://default/world",
            "areaIds": '> primary | seriesByName("name")',
            "areaValues": '> primary | seriesByName("findings")',
            "dataColors": "> areaValues | rangeValue(shades)",
            "choroplethStrokeColor": "#808890",
            "choroplethOpacity": 1,
        }
        options = {
            "layers": [layer],
            "showBaseLayer": False,
            "showScale": False,
            "showZoomControls": False,
            "center": [30, 10],
            "zoom": 0,
        }
        context = {"shades": [{**between, "value": colour} for colour, between in SHADES.items()]}
        return self._panel(
            name, "splunk.map", source, title, description, options=options, context=context, eventHandlers=click
        )

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
    lines += [f'  <a href="/static/app/{APP}/guide/user-guide.html" target="_blank">Guide</a>']
    return "\n".join([f"<!-- {GENERATED} -->", f'<nav search_view="search" color="{ACCENT}">', *lines, "</nav>", ""])
