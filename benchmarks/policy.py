"""What policies cost: to compile, and to decide on findings that were never seen before.

    python -m benchmarks.policy

Prints CPU time of this process, the least of several rounds, for other work on the machine only
ever adds to it. Decisions are remembered by what rules can ask; a judge that was just made
remembers nothing, and must sort its rules first. One is made for each kind of exchange.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gateway import actions, documents
from gateway.core.judgement import Context, Finding, Principal, Route, Subject
from gateway.core.message import Direction, Kind
from gateway.policy.bundle import PolicyBundle, compile_documents, load
from gateway.policy.judge import BoundJudge
from gateway.policy.language import Vocabulary

POLICIES = Path(__file__).parents[1] / "policies"
CATEGORIES = (
    "EMAIL_ADDRESS", "PERSON", "CREDIT_CARD", "IP_ADDRESS", "US_SSN", "PHONE_NUMBER", "LOCATION",
    "IBAN_CODE", "DE_TAX_ID", "FR_NIR",
)  # fmt: skip
ROUNDS = 300
RULES = 500
RULE = """
    - id: rule-{i}
      when:
        categories: [CREDIT_CARD, "US_*"]
        principals: {{teams: [team-{i}]}}
        condition: 'hosting == "hosted" && score >= {i} && !("team-{i}" in roles)'
      then: block
"""
HEAD = "apiVersion: gateway/v1\nkind: Policy\nmetadata: {name: many, version: '1'}\nspec:\n  rules:"


def exchange(direction: Direction) -> Context:
    route = Route("gpt", "gpt-5", "b", "openai")
    return Context(direction, Principal("k", "n"), route, "/v1/chat/completions")


def findings(number: int) -> list[list[Finding]]:
    """Messages of twenty findings, no two of them alike."""
    return [
        [
            Finding("pii", CATEGORIES[i % len(CATEGORIES)], i, i + 5, 0.5 + (20 * n + i) / 1e5)
            for i in range(20)
        ]
        for n in range(number)
    ]


def best_us(made: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """(least, median) CPU time of these, each called once."""
    spent = []
    for call in made:
        began = time.process_time_ns()
        call()
        spent.append((time.process_time_ns() - began) / 1_000)
    spent.sort()
    return spent[0], spent[len(spent) // 2]


def fresh(bundle: PolicyBundle, direction: Direction) -> BoundJudge:
    """A judge that has decided nothing yet."""
    return PolicyBundle(bundle.policies, bundle.bindings).bind(exchange(direction))


def evaluation(name: str) -> None:
    bundle = load(POLICIES / f"{name}.yaml", Vocabulary(actions.load()))
    subject = Subject("user", Kind.TEXT)
    messages = findings(ROUNDS)
    for direction in Direction:
        judge = fresh(bundle, direction)
        warm = best_us([partial(judge.decide, message, subject) for message in messages])
        judges = [fresh(bundle, direction) for _ in messages[:50]]
        made = best_us([partial(each.decide, messages[0], subject) for each in judges])
        whose = [Subject(f"user-{n}", Kind.TEXT) for n in range(200)]
        cold = best_us([partial(judge.decide, messages[0], each) for each in whose])
        again = best_us([partial(judge.decide, messages[-1], subject)] * ROUNDS)
        print(f"{name}, {direction.value}: 20 findings, least and median in us")
        print(f"  never seen before          {warm[0]:6.0f} {warm[1]:6.0f}")
        print(f"  the first of their author  {cold[0]:6.0f} {cold[1]:6.0f}")
        print(f"  by a judge just made       {made[0]:6.0f} {made[1]:6.0f}")
        print(f"  seen before                {again[0]:6.0f} {again[1]:6.0f}")


def compilation() -> None:
    text = HEAD + "".join(RULE.format(i=i) for i in range(RULES))
    vocabulary = Vocabulary(actions.load())

    def compiled() -> None:
        compile_documents(documents.parse(text.encode(), "many.yaml"), vocabulary)

    least, median = best_us([compiled] * 5)
    print(f"compile {RULES} rules with conditions: {least / 1e6:.2f} s, median {median / 1e6:.2f}")


if __name__ == "__main__":
    for each in ("default", "strict"):
        evaluation(each)
    compilation()
