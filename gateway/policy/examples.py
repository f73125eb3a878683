"""Runs the examples that stand in policies: the policy's own unit tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core import splice
from gateway.core.clearance import Clearance, DataClass
from gateway.core.effects import ANSWER, REQUEST, resolve
from gateway.core.judgement import (
    DATA_CLASS,
    USUAL,
    Context,
    Finding,
    Manner,
    Mode,
    Principal,
    Route,
    Subject,
    Verdict,
)
from gateway.core.message import Direction, Edit, Kind
from gateway.core.ports import Action
from gateway.policy.bundle import PolicyBundle
from gateway.policy.language import Example, Policy

Scan = Callable[[str], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example.

    differs: in words what was not as expected; empty if all was. fired: rules that had an
    effect. Neither holds the text of a match, unless the example's own text does.
    """

    policy: str
    example: str
    at: str
    differs: tuple[str, ...]
    fired: frozenset[str]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.differs


def run(bundle: PolicyBundle, scan: Scan, actions: Mapping[str, Action]) -> list[Outcome]:
    """Try every example, each on its own policy alone.

    Rules that an example names are enforced for it, whatever their mode: so a rule is tested
    before it counts, and its examples still hold when it does.
    scan: finds what the detectors find in a text; asked unless the example gives findings.
    """
    return [
        _try(_enforcing(policy, example), policy, example, scan=scan, actions=actions)
        for policy in bundle.policies
        for example in policy.examples
    ]


def _enforcing(policy: Policy, example: Example) -> PolicyBundle:
    named = example.expected_rules or ()
    rules = [replace(r, mode=Mode.ENFORCE) if r.id in named else r for r in policy.rules]
    return PolicyBundle([replace(policy, rules=tuple(rules))])


def untried(bundle: PolicyBundle, outcomes: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    """(policy, rule, what is missing) for each rule without an example on both sides.

    What is missing is "no example where it fires" or "no example where it does not".
    """
    missing = []
    for policy in bundle.policies:
        fired = [o.fired for o in outcomes if o.policy == policy.name]
        for rule in policy.rules:
            if not any(rule.id in each for each in fired):
                missing.append((policy.name, rule.id, "no example where it fires"))
            if all(rule.id in each for each in fired):
                missing.append((policy.name, rule.id, "no example where it does not"))
    return missing


class _NamedVault:
    """Placeholders that people can write into an expected text: `<EMAIL_ADDRESS>`."""

    reach_chars = 0
    restored = 0

    def placeholder(self, category: str, original: str, manner: Manner = USUAL) -> str:
        return f"<{category}>"

    def settle(
        self, text: str, edits: Sequence[Edit], place: tuple[Kind, str] | None = None
    ) -> list[Edit]:
        return list(edits)

    def restore(
        self, text: str, start: int = 0, kind: Kind | None = None, tool: str = ""
    ) -> list[Edit]:
        return []

    def spans(self, text: str, start: int = 0) -> list[tuple[int, int]]:
        return []


def _try(
    bundle: PolicyBundle,
    policy: Policy,
    example: Example,
    *,
    scan: Scan,
    actions: Mapping[str, Action],
) -> Outcome:
    findings = scan(example.text) if example.findings is None else example.findings
    event = REQUEST if example.direction == Direction.REQUEST else ANSWER
    raised = [Finding("gateway", event, 0, 0, 1.0)]
    if example.direction == Direction.REQUEST:
        raised.append(Finding("gateway", DATA_CLASS, 0, 0, 1.0))
    default_role = "user" if example.direction == Direction.REQUEST else "assistant"
    subject = Subject(example.role or default_role, Kind(example.kind))
    verdict = bundle.bind(context_of(example)).decide([*findings, *raised], subject)
    return Outcome(
        policy=policy.name,
        example=example.name,
        at=example.at,
        differs=tuple(_differences(example, verdict, actions)),
        fired=frozenset(effect.rule for effect in verdict.effects),
    )


def context_of(example: Example) -> Context:
    """The made-up exchange an example speaks of."""
    about = example.about
    model = about.get("model", "echo")
    return Context(
        direction=Direction(example.direction),
        principal=Principal(
            key_id=about.get("key_id", "example"),
            name="example",
            tenant=about.get("tenant", "default"),
            application=about.get("application", ""),
            team=about.get("team", ""),
            roles=about.get("roles", ()),
        ),
        route=Route(
            model=model,
            upstream_model=about.get("upstream_model", model),
            backend="example",
            provider=about.get("provider", "example"),
            hosting=about.get("hosting", "hosted"),
            region=about.get("region", ""),
            terms=about.get("terms", ()),
            clearance=Clearance.of(about["classes"]) if "classes" in about else Clearance(),
            trains=about.get("trains", False),
            retention_days=about.get("retention_days", -1),
        ),
        endpoint=about.get("endpoint", "/v1/chat/completions"),
        stream=about.get("stream", False),
        json_output=about.get("json_mode", False),
        data=DataClass.written(about.get("data_classes", ())),
        attested=about.get("attested", ()),
    )


def _differences(example: Example, verdict: Verdict, actions: Mapping[str, Action]) -> list[str]:
    differs = []
    outcome = _outcome(verdict)
    if outcome != example.outcome:
        differs.append(f"expected {example.outcome}, but it is {_told(verdict)}")
    if example.expected_text is not None and not verdict.blocked:
        edits = resolve(verdict.effects, actions, example.text, _NamedVault())
        text = splice.apply(example.text, edits)
        if text != example.expected_text:
            differs.append(f"expected the text {example.expected_text!r}, found {text!r}")
    fired = {effect.rule for effect in verdict.effects}
    if example.expected_rules is not None and fired != example.expected_rules:
        wanted = ", ".join(sorted(example.expected_rules)) or "none"
        found = ", ".join(sorted(fired)) or "none"
        differs.append(f"expected the rules {wanted}; those with an effect are {found}")
    return differs


def _outcome(verdict: Verdict) -> str:
    """What comes first: who is sent elsewhere waits there, if anywhere, for a person."""
    if verdict.blocked:
        return "block"
    if verdict.rerouted:
        return "route"
    return "review" if verdict.held else "allow"


def _told(verdict: Verdict) -> str:
    if verdict.refusal:
        return f"blocked by {verdict.refusal.rule!r}"
    if verdict.rerouted:
        rules = sorted({repr(e.rule) for e in verdict.effects if e.target is not None})
        return f"sent elsewhere by {', '.join(rules)}"
    return "held for review" if verdict.held else "not blocked"
