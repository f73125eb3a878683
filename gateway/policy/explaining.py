"""Why a finding was treated as it was: every rule, and the first thing that did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.judgement import Context, Finding, Mode, Subject, Verdict
from gateway.policy.applying import applying, outside
from gateway.policy.bundle import PolicyBundle
from gateway.policy.language import Rule
from gateway.policy.matching import FACTS, facts_of
from gateway.policy.ruling import Match, effective


@dataclass(frozen=True, slots=True)
class Considered:
    """One rule that was looked at. why: what did not fit, or why it had no effect.

    effective: whether it has its effect, or on trial would have it. restore: of a rule whose
    originals can come back, where they do; see `Manner.places`.
    """

    policy: str
    rule: str
    action: str
    matched: bool
    effective: bool
    mode: str
    why: str = ""
    restore: dict[str, list[str] | None] | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """One finding with all rules, in the order of the policies."""

    finding: Finding
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the bundle says to a message, and why."""

    digest: str
    revision: str
    findings: tuple[Explained, ...]
    verdict: Verdict


def explain(
    bundle: PolicyBundle, context: Context, findings: Sequence[Finding], subject: Subject
) -> Explanation:
    """The verdict on these findings, asked of the same judge that decides on traffic."""
    judge = bundle.bind(context)
    outside = _outside(bundle, context)
    explained = []
    for finding in findings:
        matches = list(judge.matches(finding, subject))
        taking = effective(matches)
        asked = {
            (m.policy.name, m.rule.id): _considered(m, any(m is each for each in taking))
            for m in matches
        }
        explained.append(
            Explained(
                finding,
                tuple(
                    asked.get((policy.name, rule.id)) or outside[policy.name, rule.id]
                    for policy in bundle.policies
                    for rule in policy.rules
                ),
            )
        )
    verdict = judge.decide(findings, subject)
    return Explanation(bundle.digest, bundle.revision, tuple(explained), verdict)


def _considered(match: Match, takes_effect: bool) -> Considered:
    why = match.why
    if match.applies and not takes_effect:
        why = "a stricter rule won"
    elif match.applies and match.mode is not Mode.ENFORCE:
        why = f"not enforced: {match.mode}"
    return Considered(
        policy=match.policy.name,
        rule=match.rule.id,
        action=match.rule.action.name,
        matched=match.applies,
        effective=takes_effect,
        mode=match.mode.value,
        why=why,
        restore=_restore(match.rule),
    )


def _restore(rule: Rule) -> dict[str, list[str] | None] | None:
    return rule.manner.places() if hasattr(rule.action, "manner") else None


def _outside(bundle: PolicyBundle, context: Context) -> dict[tuple[str, str], Considered]:
    """The rules that cannot apply in this context, with the field that does not fit."""
    facts = facts_of(context, sorted(FACTS))
    found = {}
    for policy in bundle.policies:
        applies = applying(policy, bundle.bindings_of(policy), facts)
        for rule in policy.rules:
            why = applies if isinstance(applies, str) else outside(rule, facts)
            if why:
                found[policy.name, rule.id] = Considered(
                    policy=policy.name,
                    rule=rule.id,
                    action=rule.action.name,
                    matched=False,
                    effective=False,
                    mode=rule.mode.value,
                    why=why,
                    restore=_restore(rule),
                )
    return found
