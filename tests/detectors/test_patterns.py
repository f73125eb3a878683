from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector
from gateway.detectors._locator import Locator
from gateway.detectors._packs import Pattern, entropy, read_pack
from gateway.detectors.patterns import build, default_pack

PACK = read_pack(default_pack())
each = pytest.mark.parametrize("pattern", PACK, ids=lambda p: p.id)


@each
def test_the_examples_hold(pattern: Pattern) -> None:
    assert pattern.match
    assert pattern.miss
    assert pattern.source
    for text in pattern.match:
        assert len(pattern.find(text)) == 1, text
    for text in pattern.miss:
        assert pattern.find(text) == [], text


@each
def test_a_trigger_ends_within_each_secret(pattern: Pattern, patterns_locator: Locator) -> None:
    for example in pattern.match:
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
        small, large = (_work_s(pattern, unit, chars) for chars in (8_000, 32_000))
        assert large < 0.02 or large < small * 9, unit


def _adversarial(pattern: Pattern) -> set[str]:
    """Pieces of examples which, repeated, start a match again and again and never end it."""
    units = {"a", "eyJ", "a:", "a_", "://", "password=", "-----BEGIN ", "aws secret ", "sig=", "."}
    for example in pattern.match:
        units |= {example[:-1], example[: len(example) // 2], example[:5], example + " "}
    return units


def _work_s(pattern: Pattern, unit: str, chars: int) -> float:
    text = (unit * (chars // len(unit) + 1))[:chars] + "!"
    best = 1e9
    for _ in range(2):
        started = time.process_time()
        pattern.find(text)
        if pattern.unless:
            pattern.unless.search(text)
        best = min(best, time.process_time() - started)
        assert best < 5, "blows up"
        if best < 0.02:
            break
    return best


def test_ids_are_unique_and_no_example_stands_whole_in_the_pack() -> None:
    assert len({p.id for p in PACK}) == len(PACK) >= 40
    source = default_pack().read_text()
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
