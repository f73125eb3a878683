"""Whose a key is, for those who count pairs of eyes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.clock import SystemClock
from gateway.core.people import same_person
from gateway.identity.keytable import KeyTable
from gateway.identity.persons import Persons


@pytest.fixture
def keys(engine: Engine) -> KeyTable:
    return KeyTable(engine, SystemClock())


def test_a_key_is_its_persons_as_it_is_recorded_anywhere(engine: Engine, keys: KeyTable) -> None:
    one, _ = keys.new("Ann Lind", roles=("policy",))
    two, _ = keys.new("ann lind", tenant="other")
    other, _ = keys.new("bob")
    assert keys.revoke(two.key_id)
    person_of: Any = Persons(engine)
    assert same_person(f"key:{one.key_id}", two.key_id, person_of)
    assert same_person(one.key_id, "Ann  Lind", person_of)
    assert not same_person(one.key_id, other.key_id, person_of)


def test_what_is_no_key_is_a_name(engine: Engine) -> None:
    person_of = Persons(engine)
    assert [person_of(who) for who in ("anna", "key:nosuchkey2", "")] == [
        "anna",
        "key:nosuchkey2",
        "",
    ]
