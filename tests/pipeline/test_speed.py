"""What grows with a text grows with its length, not with its square."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from gateway.core.judgement import Subject
from gateway.core.message import Edit, Kind
from gateway.pipeline.passage import Passage
from gateway.pipeline.settling import untouched
from tests.timing import assert_linear

SUBJECT = Subject("assistant", Kind.TEXT)


def many_pieces(count: int) -> None:
    passage = Passage(SUBJECT, held=True)
    for _ in range(count):
        passage.append("abcd")
    passage.close()
    assert passage.length == 4 * count


def many_edits(count: int) -> None:
    passage = Passage(SUBJECT, text="x" * 10 * count)
    passage.edits = [Edit(10 * i, 10 * i + 5, "r") for i in range(count)]
    for i in range(count):
        assert passage.edits_within(10 * i, 10 * i + 10) == [Edit(0, 5, "r")]


def many_restores(count: int) -> None:
    edits = [Edit(10 * i, 10 * i + 5, "e") for i in range(count)]
    restores = [Edit(10 * i + 4 + i % 2, 10 * i + 9, "r") for i in range(count)]
    free = untouched(edits, restores)
    assert len(free) == count // 2
    united = sorted([*edits, *free], key=lambda edit: edit.start)
    assert all(a.end <= b.start for a, b in itertools.pairwise(united))


@pytest.mark.parametrize("work", [many_pieces, many_edits, many_restores])
def test_ten_times_as_much_takes_nowhere_near_a_hundred_times_as_long(
    work: Callable[[int], None],
) -> None:
    assert_linear(work, 2_000, 20_000)
