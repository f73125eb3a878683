"""Placeholders come back as what they stand for, and tell nothing to anyone else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.actions._vault import KeyedVault, tenant_key
from gateway.core import splice

SECRET = b"0123456789abcdef"
CATEGORIES = ["PERSON", "EMAIL_ADDRESS", "CREDIT_CARD", "odd-one", "1ST"]
values = st.tuples(st.sampled_from(CATEGORIES), st.text(min_size=1, max_size=30))


def vault(text: str = "", tenant: str = "acme") -> KeyedVault:
    return KeyedVault(tenant_key(SECRET, tenant), lambda word: word in text)


def test_it_reads_as_what_it_stands_for() -> None:
    word = vault().placeholder("EMAIL_ADDRESS", "anna@example.org")
    kind, _, token = word.partition("_")
    assert (kind, len(token), set(token) & set("ILOU")) == ("EMAIL", 6, set())


def test_turns_and_replicas_agree() -> None:
    one, two = vault(), vault("another message")
    two.placeholder("PERSON", "Bo")
    assert one.placeholder("PERSON", "Anna") == two.placeholder("PERSON", "Anna")


@settings(deadline=None)
@given(st.lists(values, max_size=20), st.text(alphabet=" .,'(\n", min_size=1, max_size=3))
def test_restoring_undoes_pseudonymising(drawn: list[tuple[str, str]], gap: str) -> None:
    own = vault(gap.join(text for _, text in drawn))
    sent = gap.join(own.placeholder(category, text) for category, text in drawn)
    assert splice.apply(sent, own.restore(sent)) == gap.join(text for _, text in drawn)
    assert own.restored == len(drawn)


@settings(deadline=None)
@given(st.sets(st.text(min_size=1, max_size=20), min_size=1, max_size=20))
def test_two_tenants_never_share(texts: set[str]) -> None:
    one, two = vault(tenant="one"), vault(tenant="two")
    ones = {one.placeholder("PERSON", text) for text in texts}
    assert len(ones) == len(texts)
    assert not ones & {two.placeholder("PERSON", text) for text in texts}
    assert all(not two.restore(word) for word in ones)


def test_a_word_of_the_message_is_not_given_out() -> None:
    word = vault().placeholder("PERSON", "Anna")
    longer = vault(f"who is {word}?").placeholder("PERSON", "Anna")
    assert longer.startswith(word)
    assert len(longer) == len(word) + 2


def test_a_collision_makes_the_later_one_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    macs = iter([b"\x11" * 32, b"\x11" * 5 + b"\x22" * 27])
    monkeypatch.setattr("gateway.actions._vault.hmac.digest", lambda *a: next(macs))
    own = KeyedVault(b"", lambda word: False)
    first, second = own.placeholder("PERSON", "Anna"), own.placeholder("PERSON", "Bo")
    assert (len(first), len(second)) == (13, 15)
    assert own.reach_chars == 15
    assert [e.replacement for e in own.restore(f"{first} {second}")] == ["Anna", "Bo"]


def test_a_message_that_names_them_all_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no placeholder is free"):
        KeyedVault(b"k", lambda word: True).placeholder("PERSON", "Anna")


NEAR = [
    ("{}", True),
    ('({}), "{}".', True),
    ("**{}** _{}_", True),
    ("{}さん", True),
    ("{}'s and {}s", True),
    ("{}X", False),
    ("{}_2", False),
    ("MY_{}", False),
    ("x{}", False),
    ("9{}", False),
]


@pytest.mark.parametrize(("frame", "restored"), NEAR)
def test_what_may_stand_next_to_it(frame: str, restored: bool) -> None:
    own = vault()
    word = own.placeholder("PERSON", "Anna")
    text = frame.replace("{}", word)
    expected = frame.replace("{}", "Anna") if restored else text
    assert splice.apply(text, own.restore(text)) == expected


def test_a_card_placeholder_holds_no_digits_of_the_card() -> None:
    card = "4111111111111111"
    word = vault().placeholder("CREDIT_CARD", card)
    assert word.startswith("CARD_")
    assert card[-4:] not in word
    assert card[:4] not in word


def test_nothing_given_out_nothing_restored() -> None:
    assert vault().restore("PERSON_K7Q2MX") == []
    assert vault().reach_chars == 0


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        tenant_key(b"short", "acme")
