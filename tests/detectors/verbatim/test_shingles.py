from __future__ import annotations

import random
from itertools import pairwise

from gateway.detectors._verbatim.shingles import (
    GUARANTEED_WORDS,
    HASH_BYTES,
    WINDOW,
    WORDS,
    keyed,
    shingles,
    winnowed,
)

KEY = b"k" * 32


def some(count: int, *, kinds: int = 50, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [f"w{rng.randrange(kinds)}" for _ in range(count)]


def test_shingles_are_so_many_words_in_a_row() -> None:
    assert shingles(list("abcdef")) == ["a b c d", "b c d e", "c d e f"]
    assert shingles(list("abc")) == []


def test_every_window_keeps_a_shingle() -> None:
    for kinds in (2, 5, 500):
        hashes = keyed(shingles(some(2_000, kinds=kinds)), KEY)
        kept = [-1, *winnowed(hashes), len(hashes)]
        assert max(b - a for a, b in pairwise(kept)) <= WINDOW


def test_a_shared_run_of_the_guaranteed_length_is_always_seen() -> None:
    work = some(600)
    all_ = shingles(work)
    kept = {all_[place] for place in winnowed(keyed(all_, KEY))}
    for start in range(len(work) - GUARANTEED_WORDS + 1):
        assert kept & set(shingles(work[start : start + GUARANTEED_WORDS]))
    seen = [set(shingles(work[i : i + GUARANTEED_WORDS - 1])) & kept for i in range(500)]
    assert not all(seen), "the guarantee could be stronger than it says"


def test_some_two_of_three_are_kept() -> None:
    hashes = keyed(shingles(some(20_000, kinds=5_000)), KEY)
    assert 0.63 < len(list(winnowed(hashes))) / len(hashes) < 0.7


def test_a_short_text_keeps_all_it_has() -> None:
    assert list(winnowed(keyed(shingles(some(WORDS)), KEY))) == [0]
    assert list(winnowed([])) == []


def test_hashes_say_nothing_without_the_key() -> None:
    (mine,), (again,), (theirs,) = (keyed(["a b c d"], key) for key in (KEY, KEY, b"x" * 32))
    assert mine == again != theirs
    assert len(mine) == HASH_BYTES
