from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.core.ports import Window
from gateway.detectors._inspector import build_inspector
from gateway.detectors._scan import Scanner
from gateway.detectors._sieve import ANY, Sieve

MAIL = "EMAIL_ADDRESS"


def scanner(cache_dir: Path, sieve: Sieve) -> Scanner:
    return Scanner({"pii": {}}, cache_dir=cache_dir, sieve=sieve)


@pytest.mark.parametrize(
    ("category", "text", "found"),
    [
        (MAIL, "write to press@example.org", 0),
        (MAIL, "write to PRESS@Example.ORG", 0),
        (MAIL, "write to express@example.org", 1),
        (MAIL, "write to press\u200b@example.org", 0),
        (ANY, "write to press@example.org", 0),
        ("PHONE_NUMBER", "write to press@example.org", 1),
    ],
)
def test_a_value_that_is_allowed_as_it_reads_is_no_finding(
    cache_dir: Path, category: str, text: str, found: int
) -> None:
    sieve = Sieve(allowed={category: frozenset({"press@example.org"})})
    assert len(scanner(cache_dir, sieve).scan(text)) == found


@pytest.mark.parametrize(("least", "found"), [({}, 1), ({MAIL: 1.0}, 1), ({"IP_ADDRESS": 0.9}, 0)])
def test_a_threshold_counts_for_its_category_alone(
    cache_dir: Path, least: dict[str, float], found: int
) -> None:
    text = "seen from 10.1.2.3"
    assert len(scanner(cache_dir, Sieve(least=least)).scan(text)) == found


def test_a_threshold_may_be_lower_than_the_detector_s_own(cache_dir: Path) -> None:
    enabled = {"pii": {"min_score": 0.9}}
    for least, found in ({}, 0), ({"UK_NINO": 0.4}, 1):
        lower = Scanner(enabled, cache_dir=cache_dir, sieve=Sieve(least=least))
        strong, faint = lower.grade("AB123456C yes")
        assert (len(strong), len(faint)) == (found, 1 - found)
        assert strong == lower.scan("AB123456C yes")


@pytest.mark.usefixtures("fake_installed")
def test_workers_sift_as_well(cache_dir: Path) -> None:
    async def found(sieve: Sieve) -> int:
        inspector = build_inspector({"fake": {}}, cache_dir=cache_dir, sieve=sieve)
        await inspector.start()
        try:
            (findings,) = await inspector.inspect([Window("fire", 0, 4)], ["fake"])
            return len(findings)
        finally:
            await inspector.aclose()

    assert asyncio.run(found(Sieve())) == 1
    assert asyncio.run(found(Sieve(least={"FIRE": 0.6}))) == 0
    assert asyncio.run(found(Sieve(allowed={"FIRE": frozenset({"fire"})}))) == 0
