from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest

from gateway.core.calls import Call
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import Principal, Route
from gateway.labels.headers import decision, displayed, headers, quoted

# Just enough of RFC 9651: a dictionary of tokens, strings, dates and their parameters.
_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_VALUE = re.compile(
    r'"(?P<string>(?:[ !#-\[\]-~]|\\["\\])*)"|@(?P<date>-?\d{1,15})'
    r"|(?P<token>[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*)"
)


def value(text: str, at: int) -> tuple[Any, int]:
    match = _VALUE.match(text, at)
    assert match, f"no item at {text[at:]!r}"
    if match["date"]:
        return int(match["date"]), match.end()
    if match["string"] is not None:
        return re.sub(r"\\(.)", r"\1", match["string"]), match.end()
    return match["token"], match.end()


def dictionary(text: str, separator: str = ", ") -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(text):
        if found:
            assert text.startswith(separator, at)
            at += len(separator)
        key = _KEY.match(text, at)
        assert key
        assert text[key.end()] == "="
        found[key.group()], at = value(text, key.end() + 1)
    return found


def exchange(**known: Any) -> Exchange:
    made = Exchange("id-1", Principal("k", "n"), "openai_chat", "/v1", {}, Call(b""))
    route = Route(known.pop("model", "m"), "upstream-m", "b", known.pop("provider", "Acme"))
    defaults = {"route": route, "outcome": Outcome.COMPLETED, "upstream_status": 200}
    for name, item in {**defaults, "upstream_called": True, **known}.items():
        setattr(made, name, item)
    return made


def made(of: Exchange, policy: str = "default", revision: str = "default@1") -> dict[str, str]:
    return headers(of, now_s=1_767_000_000, policy=policy, revision=revision)


def test_an_answer_is_disclosed_as_a_structured_dictionary() -> None:
    told = dictionary(made(exchange(answer_model="m-2026"))["ai-disclosure"])
    assert told == {
        "mode": "machine-generated", "model": "m-2026", "provider": "Acme", "date": 1_767_000_000,
    }  # fmt: skip


def test_the_upstreams_name_stands_in_for_a_model_that_says_none() -> None:
    assert dictionary(made(exchange())["ai-disclosure"])["model"] == "upstream-m"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\r\nx: y", "é😀", "a, mode=none", "", '\\"'])
def test_no_name_breaks_out_of_its_string(name: str) -> None:
    of = exchange(answer_model=name or "x", provider=name)
    told = made(of, policy=name, revision=name)
    expected = "".join(c if " " <= c <= "~" else "?" for c in name)
    disclosed = dictionary(told["ai-disclosure"])
    assert (disclosed["provider"], disclosed["mode"]) == (expected, "machine-generated")
    word, at = value(told["gw-decision"], 0)
    assert word == "allow"
    assert dictionary(told["gw-decision"][at + 1 :], ";") == {"policy": expected, "rev": expected}
    assert all(text.isascii() and text.isprintable() for text in told.values())


def test_a_string_that_fits_is_left_as_it_is() -> None:
    assert quoted("plain text-1") == '"plain text-1"'


NOT_GENERATED: list[dict[str, Any]] = [
    {"outcome": Outcome.BLOCKED},
    {"outcome": Outcome.BLOCKED, "upstream_called": False, "upstream_status": 0},
    {"outcome": Outcome.REFUSED, "upstream_called": False, "upstream_status": 0, "route": None},
    {"outcome": Outcome.UPSTREAM_ERROR, "upstream_status": 0},
    {"outcome": Outcome.UPSTREAM_ERROR, "upstream_status": 500},
    {"outcome": Outcome.UPSTREAM_ERROR, "upstream_status": 200},
    {"outcome": Outcome.FAILED},
]


@pytest.mark.parametrize("known", NOT_GENERATED)
def test_what_no_model_wrote_says_so(known: dict[str, Any]) -> None:
    of = exchange(**known)
    told = made(of)
    assert told["ai-disclosure"] == "mode=none"
    assert told.keys().isdisjoint(("gw-provenance", "gw-model"))
    assert (told["gw-labels"], of.labels) == ("http", ["http"])


def test_an_answer_names_the_catalogues_model_that_gave_it() -> None:
    assert made(exchange(model="org/spare", answer_model="spare-7"))["gw-model"] == '"org/spare"'


def test_an_answer_carries_its_ids() -> None:
    of = exchange()
    told = made(of)
    assert (told["x-request-id"], told["gw-request-id"]) == ("id-1", "id-1")
    assert dictionary(f"p={told['gw-provenance'].removeprefix('id=')}") == {"p": "urn:uuid:id-1"}
    assert (told["gw-labels"], of.labels) == ("http, log", ["http", "log"])


@pytest.mark.parametrize(
    ("done", "outcome", "word"),
    [
        ([], Outcome.COMPLETED, "allow"),
        (["flag"], Outcome.COMPLETED, "flag"),
        (["label"], Outcome.COMPLETED, "label"),
        (["pseudonymise", "flag"], Outcome.COMPLETED, "pseudonymise"),
        (["mask", "pseudonymise"], Outcome.COMPLETED, "mask"),
        (["redact"], Outcome.COMPLETED, "redact"),
        (["redact"], Outcome.BLOCKED, "block"),
        (["redact"], Outcome.REFUSED, "error"),
        ([], Outcome.UPSTREAM_ERROR, "error"),
        ([], Outcome.FAILED, "error"),
    ],
)
def test_the_strictest_thing_done_is_the_decision(
    done: list[str], outcome: Outcome, word: str
) -> None:
    of = exchange(outcome=outcome)
    for i, action in enumerate(done):
        (of.request if i % 2 else of.response).effects[action, "p/r", "R"] += 1
    assert decision(of) == word


def test_nobody_is_warned_of_nothing() -> None:
    assert "gw-warning" not in made(exchange())


def test_warnings_are_a_structured_list_of_both_sides() -> None:
    of = exchange()
    of.request.warn("p/r", 'Bald nicht mehr "möglich".')
    of.response.warn("terms/x", "Accept 100% of the terms.")
    assert made(of)["gw-warning"] == (
        '"p/r";message=%"Bald nicht mehr %22m%c3%b6glich%22.", '
        '"terms/x";message=%"Accept 100%25 of the terms."'
    )


@pytest.mark.parametrize("words", ["plain", "é😀", 'a"b%c\\d', "a\r\nx: y\x7f", ""])
def test_what_is_displayed_comes_back(words: str) -> None:
    told = displayed(words)
    assert re.fullmatch(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"', told)
    assert unquote(told[2:-1]) == words


def test_warnings_have_a_bounded_size() -> None:
    of = exchange()
    for i in range(16):
        of.request.warn(f"p/r{i}", "ä" * 4_000)
    told = made(of)["gw-warning"]
    assert len(told) <= 4_096
    assert told.startswith('"p/r0"')
    assert told.endswith('"')
