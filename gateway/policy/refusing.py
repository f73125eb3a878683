"""What the caller is told of a verdict: why the message stops, or what it is warned of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import DETECTOR_ERROR, PASSING, TERMS, Effect, Finding, Refusal

CODE = "policy_violation"
BUSY_CODE = "detection_unavailable"
BUSY_RETRY_S = 2


def refusal(stopping: Sequence[tuple[int, Effect]]) -> Refusal:
    """The refusal of a message that these effects stop, each with its action's strictness."""
    _, effect = max(stopping, key=lambda each: each[0])
    counts = Counter(effect.finding.category for _, effect in stopping)
    busy = all(_may_pass(effect.finding) for _, effect in stopping)
    status = 403 if effect.finding.category == TERMS else 400
    return Refusal(
        code=BUSY_CODE if busy else CODE,
        status=503 if busy else status,
        retry_after_s=BUSY_RETRY_S if busy else None,
        message=effect.message or effect.finding.words or _message(effect, counts),
        policy=effect.policy,
        rule=effect.rule,
        categories=tuple(sorted(counts)),
    )


def warning(policy: str, rule: str, action: str) -> str:
    """What the caller is warned of by a rule without words of its own."""
    return f"Policy {policy!r}, rule {rule!r}, would act here if it were enforced: {action}."


def _may_pass(finding: Finding) -> bool:
    """Whether the same message may get through when there is less to do."""
    return finding.category == DETECTOR_ERROR and finding.note in PASSING


def _message(effect: Effect, counts: Mapping[str, int]) -> str:
    """What the caller is told if the rule has no words of its own. Never the match."""
    who = f"policy {effect.policy!r}, rule {effect.rule!r}"
    if effect.finding.category == DETECTOR_ERROR:
        return f"Stopped by {who}: the message could not be checked. Try again later."
    found = [
        f"{category} ({count})"
        for category, count in sorted(counts.items())
        if category not in (ANSWER, REQUEST)
    ]
    if not found:
        return f"Stopped by {who}."
    return f"Stopped by {who}: the message holds {', '.join(found)}. Remove it and try again."
