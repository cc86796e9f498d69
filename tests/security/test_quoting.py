"""A value of somebody else's is a value in every search it gets into, whatever it is made of."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cba.quoting import spl_expression, spl_text
from lab.replay import APP_DIR
from lab.searchhead import SearchHead
from lab.spl.macros import expand
from lab.spl.searchexpr import parse_search
from lab.spl.text import split_pipeline, unquote
from tests.security import examples

HOSTILE = 'x" | append [| inputlookup compromised_keys] | outputlookup watch_list | eval a="'
PIECES = ['"', "\\", "$", "$$", "|", "||", "`", "```", "[", "]", "(", ")", "\n", "\r", "\t", "'", "*", "=", ",", "%41",
          "$x$", "`cba_x`", "\\\"", "\\\\", " OR ", "a", "é", "\U0001f600", "\u2028", "\x7f", HOSTILE]  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.lists(st.sampled_from(PIECES)).map("".join),
)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchHead]:
    with SearchHead(APP_DIR, tmp_path_factory.mktemp("state")) as running:
        yield running


@given(TEXTS)
@example(HOSTILE)
@examples(1000)
def test_a_quoted_value_is_one_string_for_everyone_who_cuts_a_search(value: str) -> None:
    quoted = spl_text(value)
    assert unquote(quoted) == value
    spl = f"| cbahistory entity={quoted} | eval x={quoted}"
    assert [segment.name for segment in split_pipeline(spl)] == ["cbahistory", "eval"]
    assert expand(spl, None, str).text == spl  # type: ignore[arg-type]
    assert expand(f"| append [ search a={quoted} ]", None, str).text.endswith(" ]")  # type: ignore[arg-type]
    assert len(split_pipeline(f"| append [ search a={quoted} ]")) == 1


@given(TEXTS)
@example(HOSTILE)
@examples(200)
def test_eval_reads_it_as_it_was(head: SearchHead, value: str) -> None:
    spl = f"| makeresults | eval a={spl_text(value)}, b={spl_expression(value)}, same=if(a=={spl_text(value)}, 1, 0)"
    (row,) = head.search(spl, now=1_700_000_000.0).rows
    assert (row.get("a", ""), row.get("b", ""), str(row["same"])) == (value, value, "1")


@given(TEXTS.filter(lambda text: "*" not in text))
@example(HOSTILE)
@examples(1000)
def test_search_terms_read_it_as_it_was(value: str) -> None:
    test = parse_search(f"identity={spl_text(value)}").test
    assert test({"identity": value})
    assert not test({"identity": value + "x"})
    assert parse_search(f"identity IN ({spl_text(value)}, {spl_text(value + 'y')})").test({"identity": value + "y"})


@given(TEXTS)
@example(HOSTILE)
@examples(1000)
def test_an_expression_has_nothing_that_tokens_macros_or_conf_files_look_at(value: str) -> None:
    expression = spl_expression(value)
    inner = expression[expression.index('"') + 1 : expression.rindex('"')]
    assert not set(inner) & set('"\\$`|[]\n\r\t') and inner.isascii() and inner.isprintable()


@given(st.text(st.sampled_from('a\0\ud800"\\')))
@examples(200)
def test_what_no_search_can_hold_is_replaced(value: str) -> None:
    for quoted in (spl_text(value), spl_expression(value)):
        quoted.encode("utf-8")
        assert "\0" not in quoted


def test_options_of_a_command_get_the_value(head: SearchHead) -> None:
    """What the app's own commands are given, through splunkd's parser of options as the lab has it."""
    received: list[list[str]] = []
    run = head.engine.commands.run  # type: ignore[union-attr]

    def watched(command: str, args: Any, rows: Any, info: Any) -> Any:
        received.append(list(args))
        return run(command, args, rows, info)

    head.engine.commands.run = watched  # type: ignore[union-attr, method-assign]
    for value in [*PIECES, HOSTILE]:
        head.search(f"| cbahistory entity={spl_text(value)}", now=1_700_000_000.0)
        assert received.pop() == [f"entity={value}"]
    assert not list(head.state_dir.rglob("*.csv")), "nothing was written"
