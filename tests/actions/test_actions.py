"""What every action keeps to, and what each does to a text."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import actions
from gateway.actions._vault import KeyedVault
from gateway.core.errors import ConfigError
from gateway.core.judgement import Effect, Finding
from gateway.core.ports import Action, Surroundings

ALL = actions.load()
KEY = b"k" * 32


def replaced(action: str, category: str, text: str, *, longer_by: int = 0) -> str:
    finding = Finding("d", category, 0, len(text) - longer_by, 1.0)
    vault = KeyedVault(KEY, Surroundings())
    return ALL[action].replacement(text, Effect(action, finding, "p", "r", "R"), vault)


def test_the_order_of_strictness() -> None:
    assert list(ALL) == [
        "allow",
        "flag",
        "label",
        "pseudonymise",
        "mask",
        "redact",
        "route",
        "require_review",
        "block",
    ]
    assert len({a.strictness for a in ALL.values()}) == len(ALL)


@pytest.mark.parametrize("action", ALL.values(), ids=ALL)
class TestContract:
    def test_it_stops_or_changes_or_neither(self, action: Action) -> None:
        assert not (action.stops and action.changes_text)
        assert (action.strictness == 0) == (action.name == "allow")

    @settings(deadline=None)
    @given(text=st.text(min_size=1, max_size=60), category=st.sampled_from(["PERSON", "CRYPTO"]))
    def test_no_letter_of_the_match_stays(self, action: Action, text: str, category: str) -> None:
        if action.changes_text:
            new = replaced(action.name, category, text)
            assert new != text or not text.strip() or text == "*" * len(text)
            assert not {c for c in text if ord(c) > 127 and not c.isspace()} & set(new)


MASKED = [
    ("CREDIT_CARD", "4111 1111 1111 1111", "**** **** **** 1111"),
    ("CREDIT_CARD", "378282246310005", "***********0005"),
    ("CREDIT_CARD", "4111 1111", "**** ****"),
    ("IBAN_CODE", "DE89 3704 0044 0532 0130 00", "**** **** **** **** **30 00"),
    ("IBAN_CODE", "NO9386011117947", "***************"),
    ("PHONE_NUMBER", "+49 (30) 123-4567", "+** (**) ***-**67"),
    ("PHONE_NUMBER", "110", "***"),
    ("EMAIL_ADDRESS", "anna.lind@example.org", "a********@example.org"),
    ("EMAIL_ADDRESS", "al@example.org", "**@example.org"),
    ("EMAIL_ADDRESS", "not an address", "*** ** *******"),
    ("PERSON", "Anna Lind", "**** ****"),
    ("PASSWORD_ASSIGNMENT", "p@ss-w.rd", "*********"),
]


@pytest.mark.parametrize(("category", "text", "masked"), MASKED)
def test_mask(category: str, text: str, masked: str) -> None:
    assert replaced("mask", category, text) == masked


@settings(deadline=None)
@given(st.text(alphabet="0123456789 -", max_size=30))
def test_a_masked_card_shows_four_digits_of_thirteen_at_most(text: str) -> None:
    shown = [c for c in replaced("mask", "CREDIT_CARD", text) if c.isdigit()]
    assert len(shown) in (0, 4)
    assert len(shown) * 3 < max(1, sum(c.isdigit() for c in text))


def test_mask_shows_nothing_of_a_stretch_that_holds_more_than_the_finding() -> None:
    assert replaced("mask", "CREDIT_CARD", "4111111111111111", longer_by=2) == "*" * 16


def test_redact_leaves_the_category() -> None:
    assert replaced("redact", "EMAIL_ADDRESS", "anna@example.org") == "[EMAIL_ADDRESS]"


def test_a_label_takes_a_notice_and_nothing_else() -> None:
    label = ALL["label"]
    assert label.settle({"notice": " Made by AI. "}) == "Made by AI."
    assert label.settle({}) == ""
    for parameters in ({"text": "x"}, {"notice": 3}, {"notice": "x" * 501}):
        with pytest.raises(ValueError, match="notice"):
            label.settle(parameters)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (ModuleType("empty"), "has no class Member"),
        (SimpleNamespace(__name__="m", Member=lambda: SimpleNamespace(name="b")), "calls itself"),
    ],
)
def test_a_member_that_is_no_action_is_refused(
    module: ModuleType, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "discover", lambda package, group: {"a": module})
    with pytest.raises(ConfigError, match=message):
        actions.load()
