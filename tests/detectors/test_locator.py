from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Trigger
from gateway.detectors._locator import Locator
from gateway.detectors._marks import MAX_CHARS
from tests.timing import least_s

TRIGGERS = {
    "one": [Trigger("digits", "[0-9]{4}", 4), Trigger("word", "secret", 6, ignore_case=True)],
    "two": [Trigger("at", "[a-z?]@[a-z?]", 3)],
}


def test_ends_are_characters_in_any_script(tmp_path: Path) -> None:
    locator = Locator(TRIGGERS, tmp_path)
    assert locator.locate("1234", ["one"]) == [4]
    text = "чи́сло ١٢٣٤, ½ SECRET"
    assert locator.locate(text, ["one", "two"]) == [text.index(","), len(text)]
    assert locator.locate("\ud800 1234", ["one"]) == [6]


def test_only_the_detectors_that_were_asked_for(tmp_path: Path) -> None:
    locator = Locator(TRIGGERS, tmp_path)
    assert locator.locate("a@b 1234", ["two"]) == [3]
    assert locator.hints("a@b 1234 1234", ["one", "two"]) == {"one": ["digits"], "two": ["at"]}
    assert locator.hints("a@b 1234 1234", ["two"]) == {"two": ["at"]}


def test_a_prefix_has_the_hits_that_end_in_it(tmp_path: Path) -> None:
    locator, text = Locator(TRIGGERS, tmp_path), "x 12345 a@b secret 99"
    whole = locator.locate(text, ["one", "two"])
    for length in range(len(text) + 1):
        assert locator.locate(text[:length], ["one", "two"]) == [e for e in whole if e <= length]


MARKED = "x 1&#50;34 a%40b s\u200be\u2060cret ٤1١١ &amp;#52;1&#49;1 \\u0034АB111 4\ufe0f 99"


def test_a_prefix_has_the_hits_of_encodings_that_end_in_it(tmp_path: Path) -> None:
    locator = Locator(TRIGGERS, tmp_path)
    whole = locator.locate(MARKED, ["one", "two"])
    for length in range(len(MARKED) + 1):
        found = set(locator.locate(MARKED[:length], ["one", "two"]))
        assert {e for e in whole if e <= length} <= found


def test_a_finding_reaches_back_from_what_is_told_first_in_it(tmp_path: Path) -> None:
    locator = Locator(TRIGGERS, tmp_path)
    assert locator.reach_chars == 6 + MAX_CHARS
    for text in ("secr&#x000000065;t", "secre&ZeroWidthSpace;t", "s" + "\u200b" * 99 + "ecret"):
        assert locator.locate(text, ["one"])[0] <= locator.reach_chars
        assert locator.locate(text, ["one"])[-1] == len(text)


def test_marks_are_told_to_those_who_have_triggers(tmp_path: Path) -> None:
    locator = Locator(TRIGGERS, tmp_path)
    assert locator.locate("a %20 b", ["one"]) == [5]
    assert locator.locate("a %20 b", ["three"]) == []
    assert locator.locate("❤️ 👩\u200d💻 50% & more", ["one"]) == []


def test_no_triggers_find_nothing(tmp_path: Path) -> None:
    locator = Locator({}, tmp_path)
    assert (locator.locate("x", []), locator.hints("x", []), locator.reach_chars) == ([], {}, 0)


def test_the_second_start_reads_what_the_first_compiled(tmp_path: Path) -> None:
    many = {"one": [Trigger(str(i), f"[a-z]{{4}}{i:04}[0-9]{{8}}", 16) for i in range(60)]}
    Locator(many, tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert least_s(lambda: Locator(many, tmp_path)) < 0.2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: b"", lambda d: d[:40] + b"\0" + d[41:]]
)
def test_a_damaged_cache_is_compiled_again(tmp_path: Path, damage, caplog) -> None:
    Locator(TRIGGERS, tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert Locator(TRIGGERS, tmp_path).locate("1234", ["one"]) == [4]
    assert "damaged" in caplog.text


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Locator(TRIGGERS, tmp_path / "file" / "cache").locate("1234", ["one"]) == [4]


def test_a_trigger_that_cannot_be_compiled_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bad-one"):
        Locator({"x": [Trigger("bad-one", "(", 1)]}, tmp_path)
