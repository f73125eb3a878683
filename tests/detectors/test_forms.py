from __future__ import annotations

import random
import re

import pytest

from gateway.core.errors import ConfigError
from gateway.detectors._forms import read_form, regex_of, sample, trigger_of
from gateway.detectors._triggers import trigger

FORMS = [
    "tok_<hex:32>",
    "tok_<alnum:36->",
    "<digit:8-10>:A<url:34>",
    "<alnum:14>.atlasv1.<url:60-70>",
    "a.b$<lower:16>$<hex:32>",
    "<hex:36>NRAL",
    "<alnum:40>==",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_sample_has_its_form_and_fires_its_trigger(form: str) -> None:
    early = trigger("x", trigger_of([form]))
    for seed in range(50):
        text = sample(form, random.Random(seed))
        assert re.fullmatch(regex_of([form]), text)
        found = re.search(early.pattern, text)
        assert found
        assert 0 < found.end() <= min(len(text), early.reach_chars)


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("tok_<hex:8>", "(tok_0123abcd)", "tok_0123abcd"),
        ("tok_<hex:8>", "tok_0123abcde", None),
        ("tok_<hex:8>", "tok_0123abcdX", None),
        ("tok_<hex:8>", "my-tok_0123abcd", None),
        ("tok_<hex:8->", "tok_0123abcdefX", "tok_0123abcdef"),
        ("a.b<hex:4>", "aXb0123", None),
    ],
)
def test_a_token_of_fixed_length_must_not_go_on(form: str, text: str, found: str | None) -> None:
    match = re.search(regex_of([form]), text)
    assert (match["secret"] if match else None) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("acme_key = 0123abcd", True),
        ('ACMEKey string = "0123abcd"', True),
        ("acme-api-token: '0123abcd'", True),
        ("<acmeSecret>0123abcd</acmeSecret>", True),
        ('{"acme": "0123abcd"}', True),
        ("acmeOf = 0123abcd", False),
        ("pharmacme_key = 0123abcd", False),
        ("0123abcd", False),
    ],
)
def test_a_named_form_needs_its_name(text: str, found: bool) -> None:
    assert bool(re.search(regex_of(["<hex:8>"], "acme"), text)) is found


@pytest.mark.parametrize("form", ["<octal:8>", "<hex>", "a>b", "<hex:>"])
def test_a_bad_form_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="alphabet"):
        read_form(form)


def test_a_form_of_two_characters_is_too_short() -> None:
    with pytest.raises(ConfigError, match="open-ended"):
        trigger("x", trigger_of(["<hex:1>"]))
