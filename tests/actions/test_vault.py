"""Placeholders come back as what they stand for, and tell nothing to anyone else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.actions._placeholders import holds_card
from gateway.actions._vault import KeyedVault, tenant_key
from gateway.core import splice
from gateway.core.judgement import Manner
from gateway.core.message import Edit, Kind
from gateway.core.ports import Surroundings

SECRET = b"0123456789abcdef"
CATEGORIES = ["PERSON", "EMAIL_ADDRESS", "CREDIT_CARD", "odd-one", "1ST"]
ANNA = "PERSON_"


def vault(*bound: str, tenant: str = "acme", around: Surroundings | None = None) -> KeyedVault:
    around = around or Surroundings(bound=lambda word: any(word in each for each in bound))
    return KeyedVault(tenant_key(SECRET, tenant), around)


def sent(own: KeyedVault, text: str, hidden: list[tuple[int, int, str]], manner: Manner) -> str:
    """The text as it goes out if these stretches of it are replaced."""
    edits = [
        Edit(start, end, own.placeholder(category, text[start:end], manner))
        for start, end, category in hidden
    ]
    return splice.apply(text, own.settle(text, edits))


def restored(own: KeyedVault, text: str, kind: Kind = Kind.TEXT) -> str:
    return splice.apply(text, own.restore(text, kind=kind))


def test_it_reads_as_what_it_stands_for() -> None:
    word = vault().placeholder("EMAIL_ADDRESS", "anna@example.org")
    kind, _, token = word.partition("_")
    assert (kind, len(token), set(token) & set("ILOU")) == ("EMAIL", 6, set())


def test_turns_and_replicas_agree() -> None:
    one, two = vault(), vault("another message")
    two.placeholder("PERSON", "Bo")
    assert one.placeholder("PERSON", "Anna") == two.placeholder("PERSON", "Anna")


# Letters among which placeholders, names, addresses and what looks like them come about.
ALPHABET = "AMZaz59_-.[]@ Ää\n"
LOOKALIKES = [
    vault().placeholder("PERSON", "A"),
    vault().placeholder("TEXT", vault().placeholder("PERSON", "A")),
    vault(tenant="other").placeholder("PERSON", "A"),
    "[CARD_1]",
    "PERSON_K7Q2MX",
    "Robin",
    "Robin Aldberg",
]
VALUES = ["A", "Anna", "Anna Berg", "anna@example.org", "4111 1111 1111 1111", "2026-03-01"]
pieces = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(LOOKALIKES + VALUES), st.text(ALPHABET, min_size=1, max_size=6)),
        st.sampled_from(["", "", *CATEGORIES, "DATE_TIME"]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=400)
@given(pieces, st.booleans())
def test_restoring_undoes_pseudonymising_whatever_else_stands_there(
    drawn: list[tuple[str, str]], realistic: bool
) -> None:
    text, hidden = "", []
    for piece, category in drawn:
        if category:
            hidden.append((len(text), len(text) + len(piece), category))
        text += piece
    own = vault(around=Surroundings(holds=text.__contains__))
    out = sent(own, text, hidden, Manner(realistic=realistic))
    assert restored(own, out) == text


@settings(deadline=None)
@given(st.sets(st.text(min_size=1, max_size=20), min_size=1, max_size=20))
def test_two_tenants_never_share(texts: set[str]) -> None:
    one, two = vault(tenant="one"), vault(tenant="two")
    drawn = [text for text in texts if not holds_card(text)]
    ones = {one.placeholder("PERSON", text) for text in drawn}
    assert len(ones) == len(drawn)
    assert not ones & {two.placeholder("PERSON", text) for text in drawn}
    assert all(not two.restore(word) for word in ones)


def test_what_a_user_typed_is_not_taken_for_a_placeholder() -> None:
    own = vault()
    word = own.placeholder("PERSON", "Anna")
    text = f"Who is {word}? Ask Anna."
    out = sent(own, text, [(text.index("Anna"), len(text) - 1, "PERSON")], Manner())
    assert out.endswith(f"Ask {word}.")
    assert out.count(word) == 1
    assert restored(own, out) == text


def test_what_another_tenant_was_given_stays_as_it_is() -> None:
    other = vault(tenant="other").placeholder("PERSON", "Anna")
    own = vault()
    out = sent(own, f"{other} Anna", [(len(other) + 1, len(other) + 5, "PERSON")], Manner())
    assert out.startswith(f"{other} PERSON_")
    assert restored(own, f"{other} twice") == f"{other} twice"


def test_a_word_that_cannot_be_changed_is_not_given_out() -> None:
    word = vault().placeholder("PERSON", "Anna")
    other = vault(f"A_{word}").placeholder("PERSON", "Anna")
    assert other != word
    assert len(other) == len(word)


def test_a_message_that_names_them_all_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no placeholder is free"):
        vault(around=Surroundings(bound=lambda word: True)).placeholder("PERSON", "Anna")


NEAR = [
    "{}", "({}), \"{}\".", "**{}** _{}_", "{}さん", "{}'s and {}s", "{}X", "{}_2", "MY_{}", "x{}",
    "9{}", "{}{}", "[{}]",
]  # fmt: skip


@pytest.mark.parametrize("frame", NEAR)
@pytest.mark.parametrize(("category", "original"), [("PERSON", "Anna"), ("CREDIT_CARD", "4111")])
def test_anything_may_stand_next_to_it(frame: str, category: str, original: str) -> None:
    own = vault()
    word = own.placeholder(category, original)
    assert restored(own, frame.replace("{}", word)) == frame.replace("{}", original)


@pytest.mark.parametrize("changed", ["PERSON_{}", "person_{}", "Person_{}", "PERSON {}", "{}"])
def test_a_word_that_was_not_given_out_stays(changed: str) -> None:
    own = vault()
    token = own.placeholder("PERSON", "Anna").partition("_")[2]
    text = changed.replace("{}", token[::-1] if changed == "PERSON_{}" else token)
    assert restored(own, text) == text


PLACES = [
    (None, Kind.TOOL_ARGUMENTS, True),
    (frozenset({Kind.TEXT}), Kind.TEXT, True),
    (frozenset({Kind.TEXT}), Kind.TOOL_ARGUMENTS, False),
    (frozenset(), Kind.TEXT, False),
]


@pytest.mark.parametrize(("restore", "kind", "comes_back"), PLACES)
@pytest.mark.parametrize("realistic", [False, True])
def test_it_comes_back_where_the_rule_says(
    restore: frozenset[Kind] | None, kind: Kind, comes_back: bool, realistic: bool
) -> None:
    own = vault()
    word = own.placeholder("PERSON", "Anna Berg", Manner(realistic, restore))
    assert restored(own, word, kind) == ("Anna Berg" if comes_back else word)


TOOLS = [
    ((), "", True),
    (({"mail"},), "mail", True),
    (({"mail"},), "mail2", False),
    (({"crm.*", "mail"},), "crm.find", True),
    (({"crm.*"},), "CRM.find", False),
    (({"*"},), "", False),
    (({"*"}, {"mail"}), "mail", True),
    (({"*"}, {"mail"}), "find", False),
    ((set(),), "mail", False),
]


@pytest.mark.parametrize(("named", "tool", "comes_back"), TOOLS)
def test_it_comes_back_into_the_tools_that_every_rule_names(
    named: tuple[set[str], ...], tool: str, comes_back: bool
) -> None:
    own, manner = vault(), Manner()
    for patterns in named:
        manner = manner.also(Manner(tools=(frozenset(patterns),)))
    word = own.placeholder("PERSON", "Anna", manner)
    assert bool(own.restore(word, kind=Kind.TOOL_ARGUMENTS, tool=tool)) == comes_back
    assert own.restore(word, kind=Kind.TEXT)


def test_to_the_request_itself_all_come_back() -> None:
    own = vault()
    word = own.placeholder("PERSON", "Anna", Manner(restore=frozenset()))
    assert splice.apply(word, own.restore(word)) == "Anna"


def test_of_two_rules_the_stricter_says_where_it_comes_back() -> None:
    own = vault()
    for restore in (None, frozenset({Kind.TEXT, Kind.REASONING}), frozenset({Kind.TEXT})):
        word = own.placeholder("PERSON", "Anna", Manner(restore=restore))
    assert restored(own, word, Kind.REASONING) == word
    assert restored(own, word, Kind.TEXT) == "Anna"


def test_what_an_escape_took_with_it_comes_back_nowhere_else() -> None:
    own = vault()
    text = "xAnna Berg"
    only_text = Manner(realistic=True, restore=frozenset({Kind.TEXT}))
    out = sent(own, text, [(1, len(text), "PERSON")], only_text)
    assert restored(own, out) == text
    assert "Anna" not in restored(own, out, Kind.TOOL_ARGUMENTS)


CARDS = ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("category", ["CREDIT_CARD", "PHONE_NUMBER", "PERSON", "US_BANK_NUMBER"])
@pytest.mark.parametrize("realistic", [False, True])
def test_nothing_is_made_from_a_card_number(card: str, category: str, realistic: bool) -> None:
    one, two = vault(tenant="one"), vault(tenant="two")
    words = {own.placeholder(category, card, Manner(realistic=realistic)) for own in (one, two)}
    (word,) = words
    assert word.endswith("_1]")
    assert one.placeholder(category, "5555 5555 5555 4444").endswith("_2]")
    assert restored(one, f"pay {word}.") == f"pay {card}."


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("4111 1111 1111 1111", True),
        ("from 4111111111111111 to", True),
        ("4111 1111 1111 1112", False),
        ("123456789012", False),
        ("", False),
        ("DE89370400440532013000", False),
    ],
)
def test_what_may_be_a_card_number(text: str, holds: bool) -> None:
    assert holds_card(text) is holds


def test_nothing_given_out_nothing_restored() -> None:
    assert vault().restore("PERSON_K7Q2MX") == []
    assert vault().reach_chars == 0


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        tenant_key(b"short", "acme")
