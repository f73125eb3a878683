from __future__ import annotations

from gateway.evaluation.rates import Counts, share


def test_figures_follow_from_the_counts() -> None:
    counts = Counts(4, 1, 3) + Counts(hits=2, alarms=1, misses=1)
    assert counts == Counts(hits=6, alarms=2, misses=4)
    assert (counts.precision, counts.recall) == (0.75, 0.6)
    assert counts.f(1) == round(12 / (12 + 4 + 2), 4)
    assert counts.f(2) == round(30 / (30 + 16 + 2), 4)


def test_nothing_to_divide_by_is_no_figure() -> None:
    assert Counts().cells() == {
        "precision": None, "recall": None, "f1": None, "f2": None,
        "hits": 0, "alarms": 0, "misses": 0,
    }  # fmt: skip
    assert (Counts(misses=3).precision, Counts(misses=3).f(2)) == (None, 0.0)
    assert share(1, 3) == 0.3333
