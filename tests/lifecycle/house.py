"""A desk on a real database, with bundles of two lines each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from gateway import actions
from gateway.core.people import PersonOf
from gateway.core.ports import Bundle
from gateway.lifecycle.bundles import Texts, signer
from gateway.lifecycle.desk import By, PolicyDesk
from gateway.lifecycle.store import Store
from gateway.policy.bundle import load_texts
from gateway.policy.language import Vocabulary

SIGNER = signer(b"r" * 32)
ANNA, BERND = By("anna", "because"), By("bernd", "looks good")
VOCABULARY = Vocabulary(actions.load())


class Clock:
    """A second later at each look."""

    def __init__(self) -> None:
        self.ms = 1_760_000_000_000

    def now_ms(self) -> int:
        self.ms += 1_000
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)


def policy(name: str, then: str = "block", category: str = "EMAIL_ADDRESS") -> Texts:
    """The text of a policy with one rule."""
    said = (
        "apiVersion: gateway/v1\nkind: Policy\n"
        f'metadata: {{name: {name}, version: "1"}}\nspec:\n  rules:\n'
        f"    - {{id: r, when: {{categories: [{category}]}}, then: {then}}}\n"
    )
    return [(f"{name}.yaml", said)]


def compiled(texts: Texts) -> Bundle:
    return load_texts(texts, VOCABULARY)


@dataclass
class Office:
    """The desk, and what it put on record."""

    engine: Engine
    four_eyes: bool = False
    person_of: PersonOf = str
    recorded: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(self.engine, SIGNER)
        self.desk = PolicyDesk(
            self.store,
            SIGNER,
            compile_=compiled,
            record=lambda kind, core, by: self.recorded.append({"kind": kind, **core}),
            clock=Clock(),
            four_eyes=self.four_eyes,
            person_of=self.person_of,
        )

    def push(self, name: str, then: str = "block", by: By = ANNA) -> str:
        return self.desk.push(self.desk.sign(policy(name, then)), by)

    def active(self, name: str, then: str = "block") -> str:
        digest = self.push(name, then)
        self.desk.activate(digest, ANNA)
        return digest
