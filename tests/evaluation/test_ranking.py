from __future__ import annotations

import pytest

from gateway.evaluation.ranking import above, auprc, auroc, limit

# Positives, negatives; pairs won of all pairs; precision at each step by the recall it gains.
CASES = [
    ([0.9, 0.4], [0.5, 0.1], 3 / 4, 1 / 2 * 1 + 1 / 2 * 2 / 3),
    ([0.9, 0.8], [0.2, 0.1], 1.0, 1.0),
    ([0.1, 0.2], [0.8, 0.9], 0.0, 1 / 2 * 1 / 3 + 1 / 2 * 2 / 4),
    # Ties count half; at 0.5 two of three are positive.
    ([0.5, 0.5], [0.5, 0.1], (0.5 + 1 + 0.5 + 1) / 4, 2 / 3),
    ([0.0, 0.0], [0.0, 0.0], 0.5, 2 / 4),
    ([0.7], [0.7, 0.9, 0.7, 0.1], (0.5 + 0 + 0.5 + 1) / 4, 1 / 4),
]


@pytest.mark.parametrize(("positives", "negatives", "area", "precision"), CASES)
def test_areas_are_those_computed_by_hand(
    positives: list[float], negatives: list[float], area: float, precision: float
) -> None:
    assert auroc(positives, negatives) == round(area, 4)
    assert auprc(positives, negatives) == round(precision, 4)
    assert auroc(negatives, positives) == round(1 - area, 4)


def test_one_side_alone_has_no_area() -> None:
    assert auroc([0.5], []) is auroc([], [0.5]) is None
    assert auprc([0.5], []) is auprc([], [0.5]) is None


@pytest.mark.parametrize(
    ("ordinary", "rate", "floor"),
    [
        ([i / 100 for i in range(100)], 0.01, 0.98),  # 0.99 alone is above
        ([i / 100 for i in range(100)], 0.1, 0.89),
        ([i / 50 for i in range(50)], 0.01, 0.98),  # none may be
        ([1.0] * 5 + [0.0] * 95, 0.01, 1.0),  # five tie: none is
        ([1.0] + [0.0] * 99, 0.01, 0.0),
        ([0.0] * 10, 0.01, 0.0),
        ([], 0.01, 0.0),
    ],
)
def test_no_more_than_the_rate_is_above_the_limit(
    ordinary: list[float], rate: float, floor: float
) -> None:
    assert limit(ordinary, rate) == floor
    assert above(ordinary, floor) <= rate * len(ordinary)
