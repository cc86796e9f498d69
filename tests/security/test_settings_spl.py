"""Whatever is set, as long as it is accepted: every search of the app stays what it is, with the value in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.settings import TABS, Number, OneOf, Switch, defaults, effects, faults
from lab.conf import AppConf, Macro, load_app
from lab.errors import LabError
from lab.events import EventStore
from lab.kvstore import KVStore
from lab.replay import APP_DIR
from lab.spl.engine import Engine
from lab.spl.macros import expand
from lab.spl.text import split_pipeline
from tests.security import examples

PIECES = ['"', "\\", "$", "|", "`", "[", "]", "(", ")", "\n", "\r", "\t", ",", "=", "!=", "<", " ", "*", " OR ", " AND ",
          "NOT ", " IN (", "TERM(", "a", "b c", "index=_audit", "earliest=0", '"x y"', '\\"', "\\\\", "CORP\\ann", "$x$",
          "``", "```", "#", "--", "'", "é", "\u2028", "\x85", "\ud800", "\0", "10.0.0.0/8=NL", "0.0.0.0/0=NL",
          "2001:db8::/32=office", "/opt/geo.mmdb", ".mmdb", "C:\\geo\\a.mmdb", "//host/share/", "../", "\\\n[evil]\n",
          "/x", "delete", "outputlookup watch_list"]  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=20))
WORDS = st.sampled_from(["host=a", "a b", 'user="x y"', "NOT b=1", "(a OR b)", 'x!="\\\\"', 'c IN (1, "2")', "d>=3"])
FILTERS = st.one_of(TEXTS, st.lists(WORDS, max_size=4).map(" OR ".join), st.tuples(WORDS, TEXTS).map("".join))
NAMES = st.lists(st.sampled_from(["cloud", "aws_*", "acme:trail", "a-b.c"]), max_size=3).map(", ".join)
PATHS = st.sampled_from(["/opt/geo.mmdb", "C:\\geo\\a b.mmdb", "D:/x.mmdb"])


def values(key: str) -> st.SearchStrategy[str]:
    """Values of a setting: good ones, so that some are accepted, and others."""
    if key.endswith("_filter"):
        return FILTERS
    good = PATHS if key == "ip_database" else NAMES
    return st.one_of(TEXTS, good, st.tuples(good, TEXTS).map("".join))


READ = ("egress_ranges", "email_to", "webhook_url", "slack_url", "teams_url", "other_actions")
"""Texts that cbajudge reads, or that alert actions are told, and that no search has in it."""
SETTINGS = [
    (tab.stanza, setting)
    for tab in TABS
    for setting in tab.settings
    if not isinstance(setting, (Switch, OneOf, Number)) and setting.key not in READ
]
CONTEXTS = {
    "ip_database": ["| makeresults | cbageo ip=src_ip database=`cba_ip_database`"],
}


class Searches:
    """Every search of the app that a macro of the settings is in, with its commands when nothing is set."""

    def __init__(self, folder: Path) -> None:
        self.app = load_app(APP_DIR, folder / "local")
        self.events, self.kv = EventStore(), KVStore(self.app, ":memory:")
        self.engine = Engine(self.app, self.events, self.kv, None)
        texts = [stanza.get("search") for stanza in self.app.stanzas("savedsearches").values()]
        texts += [text for several in CONTEXTS.values() for text in several]
        self._found: dict[str, str] = {}
        self.shapes = {text: self.commands(text, {}) for text in texts if text}

    def expanded(self, text: str, macros: dict[str, str]) -> str:
        app = _With(self.app, macros)
        return expand(text, app, lambda expression: expression).text  # type: ignore[arg-type]

    def commands(self, text: str, macros: dict[str, str]) -> list[str]:
        return [segment.name for segment in split_pipeline(self.expanded(text, macros))]

    def affected(self, names: set[str]) -> list[str]:
        """A search for each of these macros that it is in."""
        return sorted({self._of(name) for name in names})

    def _of(self, name: str) -> str:
        if name not in self._found:
            marked = {name: "cba_marker"}
            self._found[name] = next(text for text in self.shapes if "cba_marker" in self.expanded(text, marked))
        return self._found[name]

    def parse(self, text: str, macros: dict[str, str]) -> None:
        self.engine._compiler.pipeline(self.expanded(text, macros)).bind(None, True)


class _With:
    """The app with other definitions of some macros."""

    def __init__(self, app: AppConf, macros: dict[str, str]) -> None:
        self.macros: dict[tuple[str, int], Macro] = dict(app.macros)
        for name, definition in macros.items():
            self.macros[(name, 0)] = app.macros[(name, 0)].__class__(
                **{**vars(app.macros[(name, 0)]), "definition": definition}
            )


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searches]:
    found = Searches(tmp_path_factory.mktemp("app"))
    yield found
    found.events.close()
    found.kv.close()


WAYS_OUT = [
    ("enrichment", "ip_database", [
        '/x" | outputlookup watch_list | eval a=".mmdb', "/x`cba_indexes`.mmdb", "/x$foo$.mmdb", "/x[search a].mmdb",
        "/../../../../dev/zero/../x.mmdb", "/x\n[evil]\ndefinition=1\n.mmdb", "/x\\.mmdb", '/x\\".mmdb', "//host/x.mmdb",
        "\\\\host\\x.mmdb", "C:\\..\\x.mmdb", "/x\0.mmdb", "/\u2028.mmdb", "/\ud800.mmdb", "/" + "x" * 5000 + ".mmdb",
    ]),
    ("enrichment", "egress_ranges", [
        '10.0.0.0/8=NL"), true(), "x', "10.0.0.0/8=NL\\", "0.0.0.0/0=NL", "::/0=NL", "10.0.0.0/7=NL", "10.0.0.0/8=NL$x$",
        "10.0.0.0/8=`x`", "10.0.0.0/8=a\rb", "10.0.0.0/8=" + "x" * 65, "10.0.0.0/8=a\u2028b", "10.0.0.0/8=NL," * 3000,
    ]),
    ("sources", "aws_filter", [
        "foo) OR (index=_internal", 'a="x\\"', "a\\", '"a\\" OR (b) \\"', 'a\\" OR b', "a\\)", "a=", "a OR", "OR a", "NOT", "()",
        "a AND AND b", "a IN ()", "a IN (b", "a,b", "earliest=0", "latest = now", '"_index_earliest"=0', "daysago=1",
        "a\nb", "a ```b", "a [search b]", "a | delete", "=a", "a==b", "TERM(", "TERM(a b)", "(" * 60 + "a" + ")" * 60,
        "earliest IN (0)", "(" * 2000,
    ]),
    ("sources", "aws_index", ['a"b', "a b", "a\\", "a OR b", "$x$", "`x`", "a,", "\u0661"]),
    ("sources", "aws_sourcetype", ['a"b', "a)(", "a\n[x]"]),
    ("sources", "aws_enabled", ["\u0663", "1 OR 1"]),
    ("detections", "training_days", ["\u0663\u0660", "\u00b2", "1e1", "0x10", "1" * 5000]),
    ("detections", "established_days", ["", "\u00b2"]),
    ("alerts", "email_to", ["a@b.c\n[x]", "a b@c.d", "$result.x$@b.c", "a@b.c,", "ann", "a@b.c; rm"]),
    *(
        ("alerts", key, [
            "http://a.b", "https://a.b/$result.x$", "https://a b", "https://a.b\naction.script = 1", 'https://a"b', "file:///x",
        ])
        for key in ("webhook_url", "slack_url", "teams_url")
    ),
    ("alerts", "other_actions", ["a.b", "script = 1", "slack\n[x]", "$x$", "slack,", "1x"]),
    ("logging", "loglevel", ["DEBUG\n[x]", "debug"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stanza", "key", "value"), [(stanza, key, value) for stanza, key, several in WAYS_OUT for value in several]
)
def test_ways_out_of_a_macro_are_refused_in_words(stanza: str, key: str, value: str) -> None:
    found = faults(stanza, {key: value})
    assert len(found) == 1 and f"({key})" in found[0]
    assert len(found[0]) < 600


def test_what_people_do_set_is_accepted() -> None:
    for terms in (
        'user!="*$"', "host=collector1 OR host=collector2", r'user="CORP\\ann"', r"user=CORP\\ann", r"path=C:\a\b",
        "NOT (a=1 b=2) c IN (1, 2,3) TERM(10.0.0.1) NOT eventtype=test tag=prod", "a!=b", "x>=3 y<4 Übung!",
    ):  # fmt: skip
        assert faults("sources", {"aws_filter": terms}) == []


@pytest.mark.parametrize(("stanza", "setting"), SETTINGS, ids=[setting.key for _stanza, setting in SETTINGS])
def test_every_search_keeps_its_shape_whatever_is_set(searches: Searches, stanza: str, setting: Any) -> None:
    shipped = effects.macros(stanza, defaults()[stanza])
    tried: list[str] = []

    @given(values(setting.key))
    @examples(60)
    def every(value: str) -> None:
        if faults(stanza, {setting.key: value}):
            return
        macros = effects.macros(stanza, {**defaults()[stanza], setting.key: value})
        changed = {name: text for name, text in macros.items() if text != shipped[name]}
        if not changed:
            return
        tried.append(value)
        for definition in changed.values():
            assert "\n" not in definition and not definition.endswith("\\"), "a conf file would read on"
            definition.encode("utf-8")
        for search in searches.affected(set(changed)):
            assert searches.commands(search, changed) == searches.shapes[search]
            try:
                searches.parse(search, changed)
            except LabError as problem:
                # The lab has no event types and no TERM(), Splunk does.
                if "is not supported by the lab" not in str(problem):
                    raise

    every()
    assert tried, "not one of the values was accepted: the test tried nothing"
