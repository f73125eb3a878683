"""The bundle: all policies compiled together. Immutable, and known by its digest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.core.judgement import Context, Mode
from gateway.core.languages import readable
from gateway.documents import Document
from gateway.policy.judge import BoundJudge
from gateway.policy.language import KIND, Policy, Rule, Vocabulary, digest_of
from gateway.policy.matching import FACTS, Fact, facts_of
from gateway.policy.reading import read
from gateway.policy.ruling import Bound

MAX_BOUND = 1_024


class PolicyBundle:
    """Implements `gateway.core.ports.Bundle`."""

    def __init__(
        self,
        policies: Sequence[Policy],
        detectors: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """detectors: the categories of each, as far as they are known."""
        self.policies = tuple(policies)
        self._detectors = detectors or {}
        self.digest = digest_of(self.policies)
        self.revision = " ".join(policy.revision for policy in self.policies)
        self._facts = _asked(self.policies)
        self._languages = {tag for p in self.policies for rule in p.rules for tag in rule.words}
        self._bound: OrderedDict[tuple[Fact, ...], BoundJudge] = OrderedDict()

    def bind(self, context: Context) -> BoundJudge:
        """The rules that can apply in this context.

        Exchanges that differ in nothing a rule asks about, nor in which of the rules'
        languages their callers read, share a judge.
        """
        facts = facts_of(context, self._facts)
        languages = readable(context.languages, self._languages)
        key = (*facts.values(), languages)
        judge = self._bound.get(key)
        if judge is None:
            bound = _bound(self.policies, facts)
            judge = BoundJudge(bound, facts, languages, self._detectors)
            self._bound[key] = judge
            if len(self._bound) > MAX_BOUND:
                self._bound.popitem(last=False)
        else:
            self._bound.move_to_end(key)
        return judge


def compile_documents(found: Sequence[Document], vocabulary: Vocabulary) -> PolicyBundle:
    """A bundle of these policies, in this order. Raises ConfigError with file and line."""
    policies: dict[str, Policy] = {}
    for document in found:
        policy = read(document, vocabulary)
        if policy.name in policies:
            raise document.error(
                ("metadata", "name"), f"there is another policy named {policy.name!r}."
            )
        policies[policy.name] = policy
    return PolicyBundle(list(policies.values()), vocabulary.detectors)


def load(path: Path, vocabulary: Vocabulary) -> PolicyBundle:
    """A bundle from a file of policies, or from all policies in a folder's own *.yaml files.

    In a folder, documents of another kind are passed over. Raises ConfigError with file and
    line, also if there is no policy.
    """
    if path.is_dir():
        files = sorted(path.glob("*.yaml"))
        found = [doc for file in files for doc in documents.load(file) if _is_policy(doc)]
    else:
        found = [doc for doc in documents.load(path) if doc.value is not None]
    if not found:
        raise ConfigError(f"{path}: holds no policy (a document with `kind: {KIND}`).")
    return compile_documents(found, vocabulary)


def _is_policy(document: Document) -> bool:
    """Whether it is one, or was meant to be: then reading it tells what is wrong."""
    if not isinstance(document.value, dict):
        return False
    spec = document.value.get("spec")
    return document.value.get("kind") == KIND or (isinstance(spec, dict) and "rules" in spec)


def _asked(policies: Sequence[Policy]) -> frozenset[str]:
    """The facts about an exchange that any of the policies asks about."""
    asked = {"direction"}
    for policy in policies:
        asked |= policy.scope.facts()
        for rule in policy.rules:
            asked |= rule.facts()
    return frozenset(asked & FACTS.keys())


def _bound(policies: Sequence[Policy], facts: dict[str, Fact]) -> list[Bound]:
    return [
        Bound(policy, tuple(rule for rule in policy.rules if _applies(rule, facts)))
        for policy in policies
        if not policy.scope.mismatch(facts)
    ]


def _applies(rule: Rule, facts: dict[str, Fact]) -> bool:
    return rule.mode is not Mode.OFF and not rule.scope.mismatch(facts)
