"""The page on policies says what is so: its examples compile, its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import actions, documents
from gateway.core.judgement import Mode, StreamMode
from gateway.core.message import Kind
from gateway.policy import (
    binding,
    conditions,
    examples,
    groups,
    matching,
    reading,
    reading_examples,
    reading_expressions,
    reading_rules,
    reading_scope,
)
from gateway.policy.bundle import compile_documents
from gateway.policy.language import Vocabulary

PAGE = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ACTIONS = actions.load()
HEAD = "apiVersion: gateway/v1\nkind: Policy\nmetadata: {name: p, version: '1'}\nspec:\n  rules:\n"


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_compiles_and_holds(block: str) -> None:
    if not block.startswith("apiVersion"):
        block = HEAD + "".join(f"    {line}\n" for line in block.splitlines())
    found = documents.parse(block.encode(), "docs/policy.md")
    bundle = compile_documents(found, Vocabulary(ACTIONS))
    outcomes = examples.run(bundle, lambda text: [], ACTIONS)
    assert [outcome.differs for outcome in outcomes if not outcome.passed] == []


WORDS = [
    *ACTIONS,
    *conditions.VARIABLES,
    *groups.GROUPS,
    *matching.EVENTS,
    *reading.SPEC_KEYS,
    *reading.KEEP_KEYS,
    *reading_rules.WHEN_KEYS,
    *reading_rules.RULE_KEYS,
    *reading_scope.MATCH_KEYS,
    *binding.SPEC_KEYS,
    *reading_expressions.NAMED_KEYS,
    *Mode,
    *matching.PRINCIPAL_FIELDS,
    *reading_examples.EXAMPLE_KEYS,
    *reading_examples.PRINCIPAL_KEYS,
    *(kind.value for kind in Kind),
    *(mode.value for mode in StreamMode),
]


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_every_word_of_the_language_is_on_the_page(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", PAGE)
