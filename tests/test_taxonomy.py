"""The taxonomy is whole, is told in full, and a mistake in it is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import taxonomy
from gateway.core.errors import ConfigError
from gateway.policy.groups import members
from gateway.policy.language import Vocabulary
from gateway.taxonomy import EFFECTS, HAZARD_NAMES, SECURITY_NAMES, Entry, Taxonomy

PAGE = Path(__file__).parents[1] / "docs" / "taxonomy.md"
KNOWN = taxonomy.load()
GROUPS = Vocabulary.of({}, {}).groups
HEAD = "version: v\nsecurity: {}\nhazards:\n"


def read(tmp_path: Path, hazards: str) -> Taxonomy:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(HEAD + hazards)
    return taxonomy.load(path)


def names(entry: Entry, key: str) -> str:
    close = "*" if key in entry.nearest else ""
    return ", ".join(name + close for name in entry.names.get(key, ()))


def row(entry: Entry, *cells: str) -> str:
    part = f"`{entry.part_of}`" if entry.part_of else ""
    return " | ".join((f"| `{entry.id}`", part, *cells)) + " |\n"


def hazards() -> str:
    """The rows as the file has them; what to put into the page when it changes."""
    return "".join(
        row(
            entry,
            "yes" if entry.unsafe else "no",
            ", ".join((entry.effect, *entry.also)),
            *(names(entry, key) for key in HAZARD_NAMES),
        )
        for entry in KNOWN.hazards.values()
    )


def attacks() -> str:
    return "".join(
        row(entry, *(names(entry, key) for key in SECURITY_NAMES))
        for entry in KNOWN.security.values()
    )


def test_the_page_has_every_id() -> None:
    page = PAGE.read_text()
    assert f"|---|---|---|---|---|---|---|---|\n{hazards()}\n" in page
    assert page.endswith(f"|---|---|---|---|---|\n{attacks()}")


def test_it_is_read_once() -> None:
    assert taxonomy.load() is KNOWN


def test_attacks_and_hazards_have_ids_of_their_own() -> None:
    assert not set(KNOWN.hazards) & set(KNOWN.security)
    assert len({label for e in KNOWN.hazards.values() for label in e.labels}) == sum(
        len(e.labels) for e in KNOWN.hazards.values()
    )


@pytest.mark.parametrize(
    ("hazards", "message"),
    [
        ("  a_b: {title: t, effect: stop, unsafe: true}", r"yaml:4: .*unknown name 'stop'.*block"),
        ("  a_b: {title: t, effect: block}", r"yaml:4: .*'unsafe' is missing"),
        ("  a_b: {title: t, effect: block, unsafe: 1}", r"yaml:4: .*expected true or false"),
        ("  A_B: {title: t, effect: block, unsafe: true}", r"yaml:4: .*small letters"),
        ("  a_b: {title: t, effect: block, unsafe: true, opnai: [x]}", r"yaml:4: .*'openai'"),
        ("  a_b: {title: t, effect: flag, unsafe: true, part_of: c_d}", r"yaml:4: .*'c_d' is no"),
        ("  a_b:\n    title: t\n    effect: flag\n    unsafe: true\n    nearest: [openai]",
         r"yaml:8: .*unknown name 'openai'"),
        ("  - a_b", r"yaml:3: .*found a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, hazards: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, hazards)


def test_a_hazard_and_its_parts_are_a_group() -> None:
    assert GROUPS["hazard.self_harm"] == {
        "SELF_HARM", "SELF_HARM_INSTRUCTIONS", "SELF_HARM_INTENT",
    }  # fmt: skip
    assert members("hazard", GROUPS) == {entry.category for entry in KNOWN.hazards.values()}


def test_each_hazard_is_in_the_group_of_its_effect() -> None:
    for entry in KNOWN.hazards.values():
        assert [e for e in EFFECTS if entry.category in GROUPS[f"effect.{e}"]] == [entry.effect]
        assert (entry.category in GROUPS["unsafe"]) is entry.unsafe
    assert "UNSAFE" in GROUPS["unsafe"] & GROUPS["effect.block"]
