from __future__ import annotations

import pytest

from gateway import actions
from gateway.documents import parse
from gateway.policy.bundle import compile_documents
from gateway.policy.holding import held_for
from gateway.policy.language import Vocabulary

FAR = {"far": frozenset({"HATE"}), "farther": frozenset({"PUN"})}
HEAD = 'apiVersion: gateway/v1\nkind: Policy\nmetadata: {name: p, version: "1"}\nspec:\n'
BLOCK = "  rules: [{id: a, when: {categories: [HATE]MORE}, then: block}]\n"


@pytest.mark.parametrize(
    ("spec", "held"),
    [
        (BLOCK, ("far",)),
        (BLOCK.replace("HATE", '"*"'), ("far", "farther")),
        (BLOCK.replace("block", "flag"), ()),
        (BLOCK.replace("MORE", ", detectors: [near]"), ()),
        (BLOCK.replace("MORE", ", directions: [request]"), ()),
        ("  match: {directions: [request]}\n" + BLOCK, ()),
        ("  streaming: hold\n" + BLOCK, ("far",)),
    ],
)
def test_for_whom_answers_are_held(spec: str, held: tuple[str, ...]) -> None:
    words = Vocabulary.of(actions.load(), {"near": frozenset({"HATE"})}, FAR)
    text = HEAD + spec.replace("MORE", "")
    (policy,) = compile_documents(parse(text.encode(), "f.yaml"), words).policies
    assert held_for(policy, FAR) == held
