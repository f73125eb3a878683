"""Small policies and made-up exchanges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway import actions, documents
from gateway.core.judgement import Context, Finding, Principal, Route, Subject, Verdict
from gateway.core.message import Direction, Kind
from gateway.policy.bundle import PolicyBundle, compile_documents
from gateway.policy.language import Vocabulary

HEAD = """apiVersion: gateway/v1
kind: Policy
metadata: {name: NAME, version: "1"}
spec:
"""
DETECTORS = {
    "pii": frozenset({"CREDIT_CARD", "EMAIL_ADDRESS", "PERSON", "US_SSN"}),
    "patterns": frozenset({"AWS_ACCESS_KEY", "NEW_TOKEN"}),
}


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.of(actions.load(), DETECTORS)


@pytest.fixture(scope="session")
def build(vocabulary: Vocabulary) -> Callable[..., PolicyBundle]:
    """Compiles the specs of policies, named one, two, ..."""

    def compiled(*specs: str) -> PolicyBundle:
        texts = [
            HEAD.replace("NAME", name) + "\n".join(f"  {line}" for line in spec.splitlines())
            for name, spec in zip(("one", "two", "three"), specs, strict=False)
        ]
        return compile_documents(
            documents.parse("\n---\n".join(texts).encode(), "f.yaml"), vocabulary
        )

    return compiled


@pytest.fixture(scope="session")
def ask(build: Callable[..., PolicyBundle]) -> Callable[..., Verdict]:
    """The verdict of policies on one finding; keywords change the exchange."""

    def verdict(
        *specs: str,
        category: str = "PERSON",
        score: float = 0.8,
        detector: str = "pii",
        role: str = "user",
        kind: Kind = Kind.TEXT,
        note: str = "",
        **about: Any,
    ) -> Verdict:
        finding = Finding(detector, category, 0, 4, score, note)
        judge = build(*specs).bind(context(**about))
        return judge.decide([finding], Subject(role, kind))

    return verdict


def context(**about: Any) -> Context:
    """An exchange; keywords are the names that conditions use."""
    return Context(
        direction=Direction(about.get("direction", "request")),
        principal=Principal(
            key_id=about.get("key_id", "k1"),
            name="n",
            tenant=about.get("tenant", "acme"),
            application=about.get("application", ""),
            team=about.get("team", ""),
            roles=about.get("roles", ()),
        ),
        route=Route(
            model=about.get("model", "gpt"),
            upstream_model=about.get("upstream_model", "gpt-5.1"),
            backend="b",
            provider=about.get("provider", "openai"),
            hosting=about.get("hosting", "hosted"),
            region=about.get("region", "eu"),
            trains=about.get("trains", False),
            retention_days=about.get("retention_days", -1),
        ),
        endpoint=about.get("endpoint", "/v1/chat/completions"),
        stream=about.get("stream", False),
        json_output=about.get("json_mode", False),
    )


@pytest.fixture(name="context", scope="session")
def make_context() -> Callable[..., Context]:
    return context
