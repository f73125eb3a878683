"""What is kept of texts: said by policies, and the least of what they say."""

from __future__ import annotations

import pytest

from gateway import actions
from gateway.core.errors import ConfigError
from gateway.core.keeping import NOTHING_KEPT, Keep, Keeping
from gateway.policy.bundle import PolicyBundle, load_texts
from gateway.policy.language import Vocabulary
from tests.policy.conftest import context

POLICY = """
apiVersion: gateway/v1
kind: Policy
metadata: {{name: {name}, version: "1"}}
spec:
  {keep}
  rules:
    - {{id: a, when: {{categories: [EMAIL_ADDRESS]}}, then: redact, mode: {mode}}}
"""
WORDS = Vocabulary(actions.load(), retentions=frozenset({"default", "hipaa"}))


def bundle(*keeps: str, mode: str = "enforce") -> PolicyBundle:
    said = [
        (f"p{n}.yaml", POLICY.format(name=f"p{n}", keep=keep, mode=mode))
        for n, keep in enumerate(keeps)
    ]
    return load_texts(said, WORDS)


@pytest.mark.parametrize(
    ("keeps", "expected"),
    [
        ((""), NOTHING_KEPT),
        (("keep: {}",), Keeping(Keep.REDACTED, "default")),
        (("keep: {texts: full, retention: hipaa}",), Keeping(Keep.FULL, "hipaa")),
        (("keep: {texts: none}",), NOTHING_KEPT),
        (("keep: {texts: full}", "keep: {retention: hipaa}"), Keeping(Keep.REDACTED, "hipaa")),
        (("keep: {texts: full}", "keep: {texts: none}"), NOTHING_KEPT),
        (("keep: {texts: full}", ""), Keeping(Keep.FULL, "default")),
    ],
)
def test_the_least_that_a_policy_wants_is_kept(keeps: tuple[str, ...], expected: Keeping) -> None:
    assert bundle(*(keeps or ("",))).bind(context()).keeping == expected


def test_a_policy_on_trial_keeps_nothing() -> None:
    assert bundle("keep: {texts: full}", mode="shadow").bind(context()).keeping == NOTHING_KEPT


def test_what_is_kept_is_part_of_what_a_bundle_means() -> None:
    digests = {bundle(keep).digest for keep in ("", "keep: {}", "keep: {texts: full}")}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ("keep: {texts: some}", "full, none, redacted"),
        ("keep: {retention: hippa}", "hipaa"),
        ("keep: {days: 3}", "days"),
    ],
)
def test_a_slip_is_told_with_its_line(keep: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        bundle(keep)
    assert "p0.yaml:6" in str(caught.value)
