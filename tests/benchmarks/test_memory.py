from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.memory import Held, growth, measure
from benchmarks.varied import LONGEST_CHARS, SHORTEST_CHARS, Varied
from gateway.settings import Settings


@pytest.mark.timeout(600)
def test_memory_is_flat_over_texts_that_are_all_new(tmp_path: Path) -> None:
    found = Settings(cache=str(tmp_path), detectors="patterns,pii,hidden,output")
    held = asyncio.run(measure(found, 3_000))
    assert held[-1].texts == 3_000
    assert held[-1].replaced == 0
    assert growth(held) < 0.1


def test_growth_is_told_from_where_it_was_settled() -> None:
    held = [Held(10 * n, 100.0, 100.0 + max(0, n - 4), 0) for n in range(1, 11)]
    assert growth(held) == pytest.approx(0.03)


def test_varied_texts_are_repeatable_new_and_of_many_lengths() -> None:
    one, other = Varied("7"), Varied("7")
    texts = [one.text() for _ in range(500)]
    assert texts == [other.text() for _ in range(500)]
    assert len(set(texts)) == 500
    lengths = sorted(map(len, texts))
    assert lengths[0] < 3 * SHORTEST_CHARS
    assert lengths[-1] > LONGEST_CHARS * 0.8
    assert sum(not text.isascii() for text in texts) > 100
