"""Overlapping findings are replaced as a whole, and nothing of them survives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import effects, splice
from gateway.core.judgement import Effect, Finding
from gateway.core.message import Edit
from gateway.core.ports import Vault


class NoVault:
    reach_chars = 0
    restored = 0

    def placeholder(self, category: str, original: str) -> str:
        return f"<{category}>"

    def restore(self, text: str) -> list[Edit]:
        return []


@dataclass
class Act:
    name: str
    changes_text: bool
    strictness: int
    stops: bool = False

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        return f"<{self.name}:{effect.finding.category}>"


ACTIONS = {
    "redact": Act("redact", changes_text=True, strictness=50),
    "mask": Act("mask", changes_text=True, strictness=40),
    "flag": Act("flag", changes_text=False, strictness=10),
}


def effect(action: str, start: int, end: int, category: str = "C", score: float = 0.5) -> Effect:
    return Effect(action, Finding("d", category, start, end, score), "p", "r", "REASON")


def done(text: str, *given_effects: Effect, offset: int = 0) -> str:
    edits = effects.resolve(given_effects, ACTIONS, text, NoVault(), offset=offset)
    return splice.apply(text, edits)


def test_each_span_is_replaced() -> None:
    assert done("ab cd ef", effect("redact", 0, 2), effect("mask", 6, 8)) == (
        "<redact:C> cd <mask:C>"
    )


def test_overlapping_spans_are_one() -> None:
    changed = done("abcdefgh", effect("mask", 1, 4, "LONG"), effect("redact", 3, 5, "STRICT"))
    assert changed == "a<redact:STRICT>fgh"


def test_touching_spans_are_two() -> None:
    assert done("abcd", effect("mask", 0, 2), effect("mask", 2, 4)) == "<mask:C><mask:C>"


def test_the_longer_then_the_surer_wins() -> None:
    longer = done("abcd", effect("mask", 0, 2, "A", 0.9), effect("mask", 0, 4, "B", 0.1))
    surer = done("abcd", effect("mask", 0, 4, "A", 0.1), effect("mask", 0, 4, "B", 0.9))
    assert (longer, surer) == ("<mask:B>", "<mask:B>")


def test_effects_that_change_nothing_make_no_edit() -> None:
    assert done("abcd", effect("flag", 0, 4), effect("redact", 2, 2)) == "abcd"


def test_findings_may_count_in_a_longer_text() -> None:
    assert done("abcd", effect("redact", 11, 12), effect("redact", 3, 9), offset=10) == (
        "a<redact:C>cd"
    )


def test_a_span_that_reaches_outside_is_replaced_up_to_the_edge() -> None:
    assert done("abcd", effect("redact", 8, 11), effect("redact", 13, 20), offset=10) == (
        "<redact:C>bc<redact:C>"
    )


spans = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["redact", "mask", "flag"]), spans)))
def test_no_covered_character_survives(drawn: list[tuple[str, list[int]]]) -> None:
    text = "".join(chr(0x4E00 + i) for i in range(40))
    given_effects = [effect(action, start, end) for action, (start, end) in drawn]
    changed = done(text, *given_effects)
    covered = {
        i
        for e in given_effects
        if e.action != "flag"
        for i in range(e.finding.start, e.finding.end)
    }
    assert {i for i, char in enumerate(text) if char in changed} == set(range(40)) - covered


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["redact", "mask"]), spans)))
def test_spans_are_in_order_and_apart(drawn: list[tuple[str, list[int]]]) -> None:
    found = effects.spans([effect(a, s, e) for a, (s, e) in drawn], ACTIONS)
    assert all(start < end for start, end, _ in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
