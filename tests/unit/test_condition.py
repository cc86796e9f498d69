"""The condition language: what it means, and what it says about a mistake."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cba.detection.condition import DEEPEST, Call, Result, decided_by, parse
from cba.errors import DetectionError
from cba.history.evidence import ScopeEvidence

ASKED = ScopeEvidence("ada", True, True, 1, 0, None, None, 20, 0, ("NL",), 0.0, 1.0, 1, 0.0)


@dataclasses.dataclass
class Facts:
    """Facts as given: `terms` by the text of the call, fields by name."""

    terms: dict[str, int]
    fields: dict[str, str]

    def new(self, scope: str, dimension: str) -> bool:
        return bool(self.terms.get(f"new({scope}, {dimension})", 0))

    def seen(self, scope: str, dimension: str) -> int:
        return self.terms.get(f"seen({scope}, {dimension})", 0)

    def days(self, scope: str, dimension: str) -> int:
        return self.terms.get(f"days({scope}, {dimension})", 0)

    def trained(self, scope: str, dimension: str) -> bool:
        return bool(self.terms.get(f"trained({scope}, {dimension})", 0))

    def suspicious(self, scope: str) -> bool:
        return bool(self.terms.get(f"suspicious({scope})", 0))

    def field(self, name: str) -> str:
        return self.fields.get(name, "")

    def answered_by(self, function: str, scope: str, dimension: str) -> ScopeEvidence:
        return ASKED._replace(entity=f"{function} {scope} {dimension}")


def holds(text: str, terms: dict[str, int] | None = None, **fields: str) -> bool:
    return bool(parse(text).evaluate(Facts(terms or {}, fields)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 == 1 or 1 == 2 and 1 == 2", True),  # and binds tighter than or
        ("(1 == 1 or 1 == 2) and 1 == 2", False),
        ("not 1 == 2 and 1 == 1", True),
        ("not (1 == 1 and 1 == 2)", True),
        ("2 < 10", True),  # numbers, not texts
        ('"a" != "b"', True),
    ],
)
def test_precedence_and_comparison(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_fields_are_text_and_compare_as_numbers_with_numbers() -> None:
    assert holds("events >= 10", events="12")
    assert not holds("events >= 10", events="9")
    assert not holds("events >= 10", events="many"), "what is no number is not at least ten"
    assert holds("events != 10", events="many")


def test_texts() -> None:
    assert holds('runtime starts with "provided"', runtime="provided.al2")
    assert holds('package_type in ("Zip", "Image")', package_type="Image")
    assert not holds('package_type in ("Zip", "Image")', package_type="")
    assert holds("present(reason)", reason="x")
    assert not holds("present(reason)", reason="")
    assert holds("present(reason)", reason="-"), "somebody may be called so"


def test_terms_of_the_histories() -> None:
    terms = {"new(identity, country)": 1, "seen(identity, country)": 4, "trained(identity, country)": 1}
    assert holds("trained(identity, country) and new(identity, country) and seen(identity, country) >= 4", terms)
    assert not holds("seen(identity, country) <= 3", terms)
    assert not holds("suspicious(identity)", terms)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("newish(identity, country)", "column 1: unknown function 'newish'; the functions are busy, chained, days"),
        ("new(identity)", "new takes (scope, dimension)"),
        ("seen(identity, country) >=", "expected a field, a function or a value, found 'the end'"),
        ("a == 1 b == 2", "column 8: unexpected 'b'"),
        ("(a == 1", "expected ')'"),
        ("a starts 'x'", "cannot read"),
        ("__import__('os')", "cannot read"),
        ("a.b == 1", "cannot read '.b == 1'"),
        ("a == ١٢", "cannot read '١٢'"),
        ("new(identity, country) == 1", "column 24: new(identity, country) gives a yes or no and cannot be compared"),
        ('seen(identity, country) >= "4"', 'column 25: seen(identity, country) is a number, "4" is a text'),
        ('"a" < 5', 'column 5: "a" is a text, 5 is a number'),
        ('seen(identity, country) in ("4")', "column 25: seen(identity, country) gives a number, in needs a text"),
        ('(a == "x") starts with "y"', "gives a yes or no, starts needs a text"),
        ("events == " + "9" * 5000, "column 11: a number has at most 15 digits"),
        ("(" * 5000 + "a", f"column {DEEPEST + 1}: nested more than {DEEPEST} deep"),
        ("not " * 5000 + "a", f"nested more than {DEEPEST} deep"),
        ("in == 1", "expected a field"),
        ("", "expected a field"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(DetectionError) as caught:
        parse(text, "x.yml: when")
    assert str(caught.value).startswith("x.yml: when: column ")
    assert complaint in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_parses_or_is_a_detection_error(text: str) -> None:
    try:
        node = parse(text)
    except DetectionError:
        return
    assert parse(str(node)) == node


CONDITIONS = st.recursive(
    st.sampled_from(
        ["new(identity, country)", "seen(project, country) >= 3", 'a == "x"', 'a in ("x", "y")', 'b starts with "z"']
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.booleans(), st.integers(0, 5), st.sampled_from(["", "x", "z1"]))
def test_printed_and_parsed_again_it_means_the_same(text: str, new: bool, seen: int, field: str) -> None:
    facts = Facts({"new(identity, country)": int(new), "seen(project, country)": seen}, {"a": field, "b": field})
    node = parse(text)
    assert bool(parse(str(node)).evaluate(facts)) == bool(node.evaluate(facts))


def test_what_is_no_text_is_no_condition() -> None:
    with pytest.raises(DetectionError, match=r"x\.yml: when: a condition is a text, not int"):
        parse(5, "x.yml: when")  # type: ignore[arg-type]


def test_a_field_of_thousands_of_digits_is_no_number() -> None:
    assert not holds("events >= 10", events="9" * 5000)
    assert holds("events != 10", events="9" * 5000)


# ---- What a result carries --------------------------------------------------------------------------------------------


def result(text: str, terms: dict[str, int] | None = None, **fields: str) -> Result:
    return parse(text).evaluate(Facts(terms or {}, fields))


def questions(found: Result) -> list[str]:
    return [str(each.node) for each in decided_by(found)]


def test_a_question_to_a_history_carries_the_evidence_it_was_answered_from() -> None:
    found = result("new(identity, country) and seen(project, country) <= 3", {"new(identity, country)": 1})
    asked = [each for each in found.walk() if isinstance(each.node, Call)]
    assert [each.seen and each.seen.entity for each in asked] == ["new identity country", "seen project country"]
    assert [each.value for each in asked] == [True, 0]


def test_what_reads_the_row_alone_has_no_evidence() -> None:
    assert all(each.seen is None for each in result('present(a) and a == "x" and suspicious(identity)', a="x").walk())


def test_it_is_asked_from_left_to_right_as_far_as_needed() -> None:
    assert len(result('a == "x" or b == "y" or c == "z"', b="y").children) == 2
    assert len(result('a == "x" and b == "y" and c == "z"', a="x").children) == 2


def test_what_decided() -> None:
    assert questions(result('a == "x" or b == "y"', b="y")) == ["b", '"y"'], "the part of an or that holds"
    assert questions(result('a == "x" and b == "y"', a="x")) == ["b", '"y"'], "the part of an and that does not"
    both = result("new(identity, country) and not new(project, country)", {"new(identity, country)": 1})
    assert questions(both) == ["new(identity, country)", "new(project, country)"]
    assert bool(both) and not bool(result("new(identity, country)"))
