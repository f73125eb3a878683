"""How long detectors may take: said by policies, and the shortest of what they say."""

from __future__ import annotations

import math

import pytest

from gateway import actions
from gateway.core.errors import ConfigError
from gateway.policy.bundle import PolicyBundle, load_texts
from gateway.policy.language import Vocabulary
from tests.policy.conftest import context

POLICY = """
apiVersion: gateway/v1
kind: Policy
metadata: {{name: {name}, version: "1"}}
spec:
  {detectors}
  rules:
    - {{id: a, when: {{categories: [EMAIL_ADDRESS]}}, then: redact, mode: {mode}}}
"""
WORDS = Vocabulary(actions.load())
ALL, SOON = "detectors: {deadline_ms: 2000}", "detectors: {deadline_ms: 250}"


def bundle(*policies: tuple[str, str]) -> PolicyBundle:
    said = [
        (f"p{n}.yaml", POLICY.format(name=f"p{n}", detectors=detectors, mode=mode))
        for n, (detectors, mode) in enumerate(policies)
    ]
    return load_texts(said, WORDS)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([("", "enforce")], math.inf),
        ([("detectors: {}", "enforce")], math.inf),
        ([(ALL, "enforce")], 2.0),
        ([(ALL, "enforce"), (SOON, "enforce"), ("", "enforce")], 0.25),
        # A policy on trial must not be felt by those that are not.
        ([(ALL, "enforce"), (SOON, "shadow")], 2.0),
        ([(SOON, "shadow")], 0.25),
    ],
)
def test_who_is_most_in_a_hurry_counts(policies: list[tuple[str, str]], expected: float) -> None:
    assert bundle(*policies).bind(context()).deadline_s == expected


def test_a_deadline_is_part_of_what_a_bundle_means() -> None:
    digests = {bundle((said, "enforce")).digest for said in ("", "detectors: {}", ALL, SOON)}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("detectors", "words"),
    [
        ("detectors: {deadline_ms: 0}", "from 1 to 600000"),
        ("detectors: {deadline_ms: 600001}", "from 1 to 600000"),
        ("detectors: {deadline_ms: soon}", "number"),
        ("detectors: {deadline_s: 1}", "deadline_ms"),
    ],
)
def test_a_slip_is_told_with_its_line(detectors: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        bundle((detectors, "enforce"))
    assert "p0.yaml:6" in str(caught.value)
