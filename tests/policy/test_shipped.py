"""The policies that come with the gateway: their examples hold, their pages say what they do."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from gateway import actions
from gateway.core.judgement import Mode
from gateway.policy import examples
from gateway.policy.bundle import load, load_all
from gateway.policy.language import ON_ERROR_RULE, Policy, Vocabulary
from gateway.settings import policy_paths, shipped

ROOT = Path(__file__).parents[2]
ACTIONS = actions.load()
VOCABULARY = Vocabulary(ACTIONS)
BY_LAW = ("gdpr", "hipaa", "pci", "eu-ai-act", "education")
NAMES = ("default", "strict", *BY_LAW)
LANGUAGES = {"en", "de", "fr", "es"}


def policy(name: str) -> Policy:
    (found,) = load(shipped("policies") / f"{name}.yaml", VOCABULARY).policies
    return found


def page(name: str) -> str:
    return (ROOT / "docs" / "policies" / f"{name}.md").read_text(encoding="utf-8")


def test_all_that_are_shipped_are_known_here() -> None:
    files = {path.stem for path in shipped("policies").glob("*.yaml")} - {"catalogue", "classes"}
    pages = {path.stem for path in (ROOT / "docs" / "policies").glob("*.md")}
    assert files == pages == set(NAMES)


@pytest.mark.parametrize("name", BY_LAW)
def test_its_examples_hold_on_both_sides_of_every_rule(name: str) -> None:
    bundle = load(shipped("policies") / f"{name}.yaml", VOCABULARY)
    outcomes = examples.run(bundle, lambda text: [], ACTIONS)
    assert [(o.example, o.differs) for o in outcomes if not o.passed] == []
    assert examples.untried(bundle, outcomes) == []


@pytest.mark.parametrize("name", BY_LAW)
def test_who_is_stopped_is_told_why_in_each_language(name: str) -> None:
    for rule in policy(name).rules:
        if rule.id != ON_ERROR_RULE and (rule.action.stops or rule.action.name == "label"):
            assert set(rule.words) == LANGUAGES, rule.id


@pytest.mark.parametrize("name", NAMES)
def test_the_page_lists_the_rules_in_their_order_with_what_they_do(name: str) -> None:
    section = page(name).split("\n## Rules\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `([a-z-]+)` \| .+ \| `([a-z_]+)`: .+ \|$", section, re.MULTILINE)
    rules = [(r.id, r.action.name) for r in policy(name).rules if r.id != ON_ERROR_RULE]
    assert told == rules


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_it_needs_and_what_it_does_not_do(name: str) -> None:
    text = page(name)
    assert text.startswith(f"# The policy `{name}`\n")
    assert "\n## What it needs\n" in text
    assert "\n## What it does not do\n" in text
    links = re.findall(r"\]\(([^)#\s]+)", text)
    assert [link for link in links if not (ROOT / "docs" / "policies" / link).exists()] == []


@pytest.mark.parametrize("pair", [*itertools.combinations(NAMES, 2)], ids="+".join)
def test_any_two_are_in_force_together(pair: tuple[str, str]) -> None:
    bundle = load_all(policy_paths(",".join(pair)), VOCABULARY)
    assert [found.name for found in bundle.policies] == list(pair)


@pytest.mark.parametrize("name", ["hipaa", "pci"])
def test_no_placeholder_is_drawn_from_an_identifier(name: str) -> None:
    made = [rule for rule in policy(name).rules if rule.action.name == "pseudonymise"]
    assert [rule.id for rule in made if rule.mode is Mode.ENFORCE] == []
