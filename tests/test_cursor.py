from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.cursor import MAX_TEXT_CHARS, Cursor
from gateway.documents import parse


def cursor(text: str) -> Cursor:
    (document,) = parse(text.encode(), "f.yaml")
    return Cursor.top(document)


# (YAML, what a reader asks, what it is told)
ERRORS: list[tuple[str, Callable[[Cursor], Any], str]] = [
    ("[1]", lambda c: c.fields(["a"]), "f.yaml:1: the document: expected a with values"),
    ("a: 1\nport: 2", lambda c: c.fields(["a", "ports"]), r"f.yaml:2: .*Did you mean 'ports'\?"),
    ("a: 1", lambda c: c.fields(["a", "b"], required=["b"]), "f.yaml:1: .*'b' is missing"),
    ("a: 1", lambda c: list(c.items()), "expected a list, found a mapping"),
    ("12", lambda c: c.text(), "expected text, found 12. Put it in quotes"),
    ("true", lambda c: c.text(), "expected text, found true. Put it in quotes"),
    ("~", lambda c: c.text(), "expected text, found nothing"),
    ("x" * (MAX_TEXT_CHARS + 1), lambda c: c.text(), "longer than"),
    ('"\\ud800"', lambda c: c.text(), "half of a surrogate|invalid Unicode"),
    ("a b", lambda c: c.text(r"\w+", "a word"), "expected a word, found 'a b'"),
    ("[]", lambda c: c.texts(), "is empty"),
    ("[a, 1]", lambda c: c.texts(), r"the document\[1\]: expected text"),
    ("gren", lambda c: c.choice(["green", "red"]), r"'gren'. Did you mean 'green'\?"),
    ("[green, x]", lambda c: c.choices(["green"]), r"\[1\]: unknown name 'x'. Known: green"),
    ("yes please", lambda c: c.truth(), "expected true or false, found the text"),
    ("1.5", lambda c: c.fraction(), "a number from 0 to 1"),
    ("true", lambda c: c.fraction(), "a number from 0 to 1"),
    ("-1", lambda c: c.count(), "a whole number"),
    ("true", lambda c: c.count(), "a whole number"),
    ("1.0", lambda c: c.count(), "a whole number"),
]


@pytest.mark.parametrize(("text", "ask", "told"), ERRORS)
def test_errors_say_where_what_and_how_it_is_right(
    text: str, ask: Callable[[Cursor], Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        ask(cursor(text))


@pytest.mark.parametrize(
    ("text", "ask", "value"),
    [
        ("abc", lambda c: c.text(r"\w+", "a word"), "abc"),
        ("[a, b]", lambda c: c.texts(), ["a", "b"]),
        ("red", lambda c: c.choice(["green", "red"]), "red"),
        ("[red, red]", lambda c: c.choices(["red"]), ["red", "red"]),
        ("true", lambda c: c.truth(), True),
        ("0", lambda c: c.fraction(), 0.0),
        ("7", lambda c: c.count(), 7),
    ],
)
def test_values_are_read(text: str, ask: Callable[[Cursor], Any], value: Any) -> None:
    assert ask(cursor(text)) == value


def test_places_carry_their_names_and_lines() -> None:
    top = cursor("a:\n  - b: 1\n  - b: x\n").fields(["a"])
    item = list(top["a"].items())[1].fields(["b"])["b"]
    assert item.what == "a[1], b"
    assert str(item.error("no.")) == "f.yaml:3: a[1], b: no."
    assert str(item.named("the rule").error("no.")) == "f.yaml:3: the rule: no."
