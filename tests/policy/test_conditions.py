"""A condition that cannot be shown harmless is refused when it is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import conditions
from gateway.policy.matching import FACTS

REFUSED = [
    ("nope == 1", r"unknown name 'nope'\. Did you mean 'note'\? Known: application"),
    ('score == "a"', r"'==' cannot be used with \(int, string\)"),
    ("score", "must be true or false, not int"),
    ("dyn(true)", "must be true or false, not dyn"),
    ("score >", "is no expression: it ends too soon"),
    ("", "is no expression: it ends too soon"),
    ("(" * 100 + "true" + ")" * 100, "recursion limit"),
    ("(" * 100_000, "longer than 2000"),
    ("true || " * 300 + "true", "longer than 2000"),
    ("roles.all(a, roles.exists(b, a == b))", "a loop inside a loop"),
    ("roles.all(a, roles.all(b, roles.all(c, roles.all(d, a == b))))", "a loop inside a loop"),
    ("roles . map (a, roles.filter(b, true)).size() == 0", "a loop inside a loop"),
    ('roles.all(a, r"\\" == a && roles.all(b, a == b))', "a loop inside a loop"),
    ('roles[0] == "dpo"', "cannot be evaluated for an empty exchange"),
    ("int(region) == 1", "cannot be evaluated for an empty exchange"),
    ('region.matches("(")', "cannot be evaluated for an empty exchange: invalid regular"),
    ("1 / (score - 850) == 1", "cannot be evaluated for a typical exchange: divide by zero"),
    ("roles.size() < 3 || roles[300] == 'x'", "cannot be evaluated for a very large exchange"),
    ("has(region.x)", "cannot be the operand"),
    ("'\\ud800' == region", "."),
]


@pytest.mark.parametrize(("source", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conditions.parse(source)


TRUE = [
    'hosting == "hosted" && !("dpo" in roles)',
    'roles.exists(r, r.startsWith("us")) && roles.all(r, r != "x")',
    "score >= 850 // roles.all(roles.all(",
    '"roles.all(a, roles.all(" != region',
    "stream ? true : json_mode || category == 'PERSON'",
    'model.matches("^gpt-[0-9.]+$")',
]
ABOUT = {
    "hosting": "hosted",
    "roles": ["user"],
    "score": 850,
    "region": "eu",
    "stream": False,
    "json_mode": False,
    "category": "PERSON",
    "model": "gpt-5.1",
}


@pytest.mark.parametrize("source", TRUE)
def test_what_holds(source: str) -> None:
    assert conditions.parse(source).holds(ABOUT) is True


def test_it_knows_what_it_asks_about() -> None:
    assert conditions.parse('model == "a" && "b" in roles').rests_on == {"model", "roles"}


def test_an_error_is_neither_true_nor_false() -> None:
    condition = conditions.parse("100 / (score - 7) < 1000")
    assert condition.holds({"score": 7}) is None
    assert condition.holds({}) is None


def test_more_roles_than_were_tried_are_an_error() -> None:
    condition = conditions.parse('!("dpo" in roles)')
    assert condition.holds({"roles": ["x"] * 257}) is None


def test_every_fact_about_the_exchange_can_be_asked() -> None:
    assert FACTS.keys() <= conditions.VARIABLES.keys()


SIGNS = """all map ( ) . ! == && || "a" 1 [ ] , ? : x in ' // \\ matches true - * { } \0"""
WORDS = st.sampled_from([*conditions.VARIABLES, *SIGNS.split(" ")])


@settings(deadline=None)
@given(st.lists(WORDS, max_size=15).map(" ".join))
def test_anything_is_compiled_or_refused(source: str) -> None:
    try:
        condition = conditions.parse(source)
    except ValueError:
        return
    assert condition.holds(dict.fromkeys(condition.names, "")) in (True, False, None)
