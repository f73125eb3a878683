from __future__ import annotations

import random
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector
from gateway.detectors._forms import sample
from gateway.detectors._locator import Locator
from gateway.detectors._packs import Pattern, entropy, read_pack
from gateway.detectors.patterns import build, default_pack
from tests.timing import assert_linear

PACK = read_pack(default_pack())
each = pytest.mark.parametrize("pattern", PACK, ids=lambda p: p.id)


def examples(pattern: Pattern) -> list[str]:
    """Those of the pack, and fresh ones of each form; the form's name stands before it."""
    lead = pattern.near.split("|")[0].replace("_?", "_")
    lead = f'{lead}_key = "' if lead else ""
    chance = random.Random(pattern.id)
    return [*pattern.match, *(lead + sample(form, chance) for form in pattern.forms)]


def decoys(pattern: Pattern) -> list[str]:
    """Those of the pack, and each form with one character all along, or without its end."""
    fresh = random.Random(pattern.id)
    dull = _Dull()
    return [
        *pattern.miss,
        *(sample(form, dull) for form in pattern.forms),
        *(sample(form, fresh)[:6] for form in pattern.forms),
    ]


class _Dull(random.Random):
    """Draws an x where it may, else the first there is."""

    def choices(self, population: Any, *_: object, k: int = 1, **__: object) -> list[Any]:
        return ["x" if "x" in population else population[0]] * k


@each
def test_the_examples_hold(pattern: Pattern) -> None:
    assert pattern.match or pattern.forms
    assert pattern.miss or pattern.forms
    assert pattern.source
    for text in examples(pattern):
        assert len(pattern.find(text)) == 1, text
    for text in decoys(pattern):
        assert pattern.find(text) == [], text


@each
def test_a_trigger_ends_within_each_secret(pattern: Pattern, patterns_locator: Locator) -> None:
    for example in examples(pattern):
        for text in (example, f"é {example}\n", f"{'x' * 200} {example} 和"):
            ((start, end),) = pattern.find(text)
            ends = patterns_locator.locate(text, ["patterns"])
            reach = pattern.trigger.reach_chars
            assert any(start < e <= end and start >= e - reach for e in ends)
            assert pattern.id in patterns_locator.hints(text, ["patterns"])["patterns"]


@each
def test_time_grows_with_the_text_only(pattern: Pattern) -> None:
    """Twice the text may take twice the time, not four times, whatever it holds."""
    for unit in _adversarial(pattern):
        assert_linear(partial(_look, pattern, unit), 8_000, 32_000)


def _adversarial(pattern: Pattern) -> set[str]:
    """Pieces of examples which, repeated, start a match again and again and never end it."""
    units = {"a", "eyJ", "a:", "a_", "://", "password=", "-----BEGIN ", "aws secret ", "sig=", "."}
    for example in examples(pattern)[:2]:
        units |= {example[:-1], example[: len(example) // 2], example[:5], example + " "}
    return units


def _look(pattern: Pattern, unit: str, chars: int) -> None:
    text = (unit * (chars // len(unit) + 1))[:chars] + "!"
    pattern.find(text)
    if pattern.unless:
        pattern.unless.search(text)


def test_ids_are_unique_and_no_example_stands_whole_in_the_pack() -> None:
    assert len({p.id for p in PACK}) == len(PACK) >= 200
    source = "".join(file.read_text() for file in default_pack().glob("*.yaml"))
    strong = [p for p in PACK if p.score >= 0.95 and p.id != "private-key"]
    for pattern in strong:
        for example in pattern.match:
            assert example not in source


@pytest.mark.parametrize("end", ["", "\n-----END RSA PRIVATE KEY-----"])
@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n"])
def test_a_private_key_is_covered_whole(patterns: Detector, newline: str, end: str) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEq3xZt7Lw2Rb9Kp4Vn6Hs1Jd8\n" * 9 + end
    key = key.replace("\n", newline)
    text = f"before {key}"
    (found,) = patterns.detect([text], [["private-key"]])
    assert text[found[0].start : found[0].end] == key


def test_a_long_token_is_covered_whole(patterns: Detector) -> None:
    token = "ghp_" + "q3xZt7Lw2Rb9Kp4Vn6Hs1Jd8Gf5Me0Ucaotix" * 20
    (found,) = patterns.detect([f"({token})"], [["github-token"]])
    assert (found[0].start, found[0].end) == (1, 1 + len(token))


def test_entropy_is_in_bits_a_character() -> None:
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


GOOD = """
patterns:
  - id: x
    category: XKEY
    regex: 'x_(?P<secret>[a-f]{8})'
    score: 0.5
    source: a book
    examples: {match: [[x_, abcdefab]], miss: [x_]}
"""


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("id: x", "id: x\n    colour: red", "pack.yaml:4: unknown key 'colour'"),
        ("    source: a book\n", "", "pack.yaml:3: 'source' is missing"),
        ("    regex: 'x_(?P<secret>[a-f]{8})'\n", "", "has either 'regex' or 'forms'"),
        ("regex: 'x_(?P<secret>[a-f]{8})'", "forms: ['x_<octal:8>']", "unknown alphabet 'octal'"),
        ("regex: 'x_(?P<secret>[a-f]{8})'", "forms: ['x_<hex>']", "expected <alphabet:count>"),
        ("id: x", "id: x\n    check: luck", "pack.yaml:4: unknown check"),
        ("(?P<secret>[a-f]{8})", "[a-f]{8}", "pack.yaml:5: needs a group named 'secret'"),
        ("x_(?P<secret>[a-f]{8})", "x*(?P<secret>[a-f]{8})", "open-ended"),
        ("0.5", "5", "pack.yaml:6: 'score' must be a number from 0 to 1"),
        ("XKEY", "x key", "pack.yaml:4: a category is UPPER_CASE"),
        ("x_(?P<secret>[a-f]{8})", "(", "pack.yaml:5: not a regular expression"),
    ],
)
def test_a_bad_pack_is_refused_with_its_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(GOOD)
    assert build({"packs": [str(path)]}).categories == {"XKEY"}
    path.write_text(GOOD.replace(before, after))
    with pytest.raises(ConfigError, match=re.escape(message)):
        build({"packs": [str(path)]})


def test_patterns_can_be_left_out() -> None:
    assert "JWT" not in build({"without": ["jwt"]}).categories
    with pytest.raises(ConfigError, match="there is no pattern 'jwts'"):
        build({"without": ["jwts"]})
