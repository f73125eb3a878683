"""A few rounds of `scripts/crash-campaign`: everything it does, less often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts._campaign_block import Way
from scripts._crash_campaign import Campaign, campaign


@pytest.fixture(scope="module")
def work() -> Iterator[Campaign]:
    with campaign() as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("way", "crashes"),
    [
        (
            Way("sqlite", "before_egress", spool=False),
            ["lock database", "kill gateway in an outage"],
        ),
        (
            Way("postgresql", "before_release", spool=True),
            [
                "cut network",
                "kill sequencer in an outage",
                "kill database",
                "fill disk of the spool",
            ],
        ),
    ],
    ids=["sqlite", "postgresql"],
)
def test_the_log_holds_whatever_crashes(work: Campaign, way: Way, crashes: list[str]) -> None:
    before = work.rounds
    work.block(way, crashes)
    assert work.rounds - before == len(crashes)
    assert work.asked
