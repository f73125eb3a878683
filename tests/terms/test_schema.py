"""The schema for editors takes what reading takes, and knows no other keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.documents import Document
from gateway.settings import shipped
from gateway.terms.reading import read
from gateway.terms.schema import schema
from tests.policy.test_schema import fits
from tests.terms.profiles import HAZARDS, ONE

SCHEMA = schema(HAZARDS)
FILES = sorted((shipped("policies") / "terms").glob("*.yaml"))
# One that has every key there is, but for those that exclude each other.
FULL = ONE.replace("kind: license,", "kind: license, url: https://x/y, sha256: null,").replace(
    "license: {class", "tiers: [free]\nlicense: {spdx: MIT, class"
).replace("grace_days: 10", "grace_days: 10, valid_days: 10") + (
    """\
disclose_ai: none
output_use: {train_other_models: allowed_with_naming, naming_prefix: One, clause: notice}
data: {trains: no, retention_days: 3, locations: [CN], clause: notice, tiers: [{tier: free}]}
examples:
  - {name: a, provider: b, model: one, tier: free, trains: true, retention_days: 1,
     modalities: [text], accepted: true, attested: [user_age_min=3], hazard: hate,
     expect: {states: [], rules: [hate]}}
"""
)


def parsed(text: str) -> Any:
    (document,) = documents.parse(text.encode(), "p.yaml")
    return document.value


def reads(value: Any) -> bool:
    try:
        read(Document("p.yaml", value, {}), HAZARDS)
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_profile_fits(path: Any) -> None:
    for document in documents.load(path):
        assert fits(document.value, SCHEMA)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value, the whole first."""
    yield at
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from places(value[key], (*at, key))


def changed(value: Any, at: tuple[Any, ...], change: Any) -> Any:
    """A copy in which something is done to the place: (what holds it, its key)."""
    whole = [copy.deepcopy(value)]
    inner: Any = whole
    for key in (0, *at)[:-1]:
        inner = inner[key]
    change(inner, (0, *at)[-1])
    return whole[0]


def _drop(holder: Any, key: Any) -> None:
    del holder[key]


def _add(holder: Any, key: Any) -> None:
    holder[key]["surplus"] = "x"


PLACES = [*places(parsed(FULL))]


def test_the_full_one_is_read_and_fits() -> None:
    assert reads(parsed(FULL))
    assert fits(parsed(FULL), SCHEMA)


@pytest.mark.parametrize("at", PLACES, ids=str)
def test_both_know_the_same_keys(at: tuple[Any, ...]) -> None:
    value = parsed(FULL)
    here = value
    for key in at:
        here = here[key]
    if isinstance(here, dict):
        surplus = changed(value, at, _add)
        assert (fits(surplus, SCHEMA), reads(surplus)) == (False, False)
    if at and isinstance(at[-1], str):
        less = changed(value, at, _drop)
        # A key that only some clauses need is more than a schema says.
        assert fits(less, SCHEMA) or not reads(less)
        assert reads(less) or not fits(less, SCHEMA) or at[0] == "clauses"


@pytest.mark.parametrize("wrong", [7, "Not This", [], {}, None, ["x"]], ids=repr)
@pytest.mark.parametrize("at", PLACES, ids=str)
def test_what_the_schema_refuses_reading_refuses(at: tuple[Any, ...], wrong: Any) -> None:
    def change(holder: Any, key: Any) -> None:
        holder[key] = wrong

    value = changed(parsed(FULL), at, change)
    assert fits(value, SCHEMA) or not reads(value)
