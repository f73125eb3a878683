"""The bundle: all policies compiled together. Immutable, and known by its digest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway import documents
from gateway.core.canonical import digest
from gateway.core.errors import ConfigError
from gateway.core.judgement import DATA_CLASS, Context
from gateway.core.languages import readable
from gateway.cursor import Cursor
from gateway.documents import Document
from gateway.policy import binding as bindings_
from gateway.policy.applying import applying
from gateway.policy.binding import Binding, read_binding
from gateway.policy.judge import BoundJudge
from gateway.policy.language import API_VERSION, KIND, Policy, Vocabulary
from gateway.policy.matching import FACTS, WEIGHING, Fact, facts_of
from gateway.policy.reading import read
from gateway.policy.ruling import Bound

MAX_BOUND = 1_024
KINDS = (KIND, bindings_.KIND)


class PolicyBundle:
    """Implements `gateway.core.ports.Bundle`.

    written: the policies that people wrote. The others stand behind them: they are made from
    terms profiles, which records name themselves, so that `revision` and `digest` leave them
    out. whole: the digest of all.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        bindings: Sequence[Binding] = (),
        detectors: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """bindings: of these policies. detectors: the categories of each, as far as known."""
        self.policies = tuple(policies)
        self.bindings = tuple(bindings)
        self.written = tuple(policy for policy in self.policies if not policy.made)
        self.digest = digest_of(self.written, self.bindings)
        self.whole = digest_of(self.policies, self.bindings)
        self.revision = " ".join(policy.revision for policy in self.written)
        self._detectors = detectors or {}
        self._facts = _asked(self.policies, self.bindings)
        self._weighs = not WEIGHING.isdisjoint(self._facts) or any(
            DATA_CLASS in rule.categories.exact for p in self.policies for rule in p.rules
        )
        self._languages = {tag for p in self.policies for rule in p.rules for tag in rule.words}
        self._bound: OrderedDict[tuple[Fact, ...], BoundJudge] = OrderedDict()

    @property
    def weighs(self) -> bool:
        """Whether a rule of any policy asks of what class data is."""
        return self._weighs

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
            bound = self._applying(facts)
            judge = BoundJudge(bound, facts, languages, self._detectors, weighs=self._weighs)
            self._bound[key] = judge
            if len(self._bound) > MAX_BOUND:
                self._bound.popitem(last=False)
        else:
            self._bound.move_to_end(key)
        return judge

    def bindings_of(self, policy: Policy) -> list[Binding]:
        """Those of this policy."""
        return [binding for binding in self.bindings if binding.policy == policy.name]

    def _applying(self, facts: Mapping[str, Fact]) -> list[Bound]:
        found = (applying(policy, self.bindings_of(policy), facts) for policy in self.policies)
        return [each for each in found if isinstance(each, Bound)]


def digest_of(policies: Sequence[Policy], bindings: Sequence[Binding] = ()) -> str:
    """SHA-256 of what the policies and their bindings mean, as 64 hex digits."""
    meaning = {"apiVersion": API_VERSION, "policies": [p.meaning() for p in policies]}
    if bindings:
        ordered = sorted(bindings, key=lambda binding: binding.name)
        meaning["bindings"] = [binding.meaning() for binding in ordered]
    return digest(meaning)


def compile_documents(
    found: Sequence[Document], vocabulary: Vocabulary, made: Sequence[Document] = ()
) -> PolicyBundle:
    """A bundle of these policies, in this order, and their bindings; behind them, those made.

    Raises ConfigError with file and line.
    """
    policies: dict[str, Policy] = {}
    bindings: dict[str, Binding] = {}
    for document in found:
        if _kind(document) == bindings_.KIND:
            binding = read_binding(document)
            _take(document, binding, bindings, "binding")
        else:
            _take(document, read(document, vocabulary), policies, "policy")
    for document in made:
        _take(document, replace(read(document, vocabulary), made=True), policies, "policy")
    for document in found:
        if _kind(document) == bindings_.KIND:
            _check_policy(document, policies)
    return PolicyBundle([*policies.values()], [*bindings.values()], vocabulary.detectors)


def texts(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """(name, YAML text) of the files that `load_all` reads policies from. Raises ConfigError."""
    return [text for path in paths for text in _texts(path)]


def _texts(path: Path) -> list[tuple[str, str]]:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    wanted = [f for f in files if any(_is_meant(doc) for doc in documents.load(f))]
    if not wanted:
        raise ConfigError(f"{path}: holds no policy (a document with `kind: {KIND}`).")
    return [(file.name, file.read_text(encoding="utf-8")) for file in wanted]


def load_texts(
    said: Sequence[tuple[str, str]], vocabulary: Vocabulary, made: Sequence[Document] = ()
) -> PolicyBundle:
    """A bundle of the policies in these texts. Raises ConfigError with name and line.

    made: others, to stand behind them.
    """
    found = [doc for name, text in said for doc in documents.parse(text.encode(), name)]
    where = ", ".join(name for name, _ in said)
    meant = [doc for doc in found if _is_meant(doc)]
    _check(meant, where)
    return compile_documents(meant, vocabulary, made)


def load(path: Path, vocabulary: Vocabulary, made: Sequence[Document] = ()) -> PolicyBundle:
    """A bundle from a file of policies, or from all policies in a folder's own *.yaml files.

    In a folder, documents of another kind are passed over. Raises ConfigError with file and
    line, also if there is no policy. made: others, to stand behind them.
    """
    return load_all([path], vocabulary, made)


def load_all(
    paths: Sequence[Path], vocabulary: Vocabulary, made: Sequence[Document] = ()
) -> PolicyBundle:
    """A bundle from several such files and folders, in this order."""
    found = [doc for path in paths for doc in _found(path)]
    return compile_documents(found, vocabulary, made)


def _found(path: Path) -> list[Document]:
    if path.is_dir():
        files = sorted(path.glob("*.yaml"))
        found = [doc for file in files for doc in documents.load(file) if _is_meant(doc)]
    else:
        found = [doc for doc in documents.load(path) if doc.value is not None]
    _check(found, str(path))
    return found


def _check(found: Sequence[Document], where: str) -> None:
    """Raises ConfigError if there is no policy."""
    if not any(_kind(document) != bindings_.KIND for document in found):
        raise ConfigError(f"{where}: holds no policy (a document with `kind: {KIND}`).")


def _take(document: Document, read_: Policy | Binding, known: dict[str, Any], what: str) -> None:
    if read_.name in known:
        raise document.error(("metadata", "name"), f"there is another {what} named {read_.name!r}.")
    known[read_.name] = read_


def _check_policy(document: Document, policies: Mapping[str, Policy]) -> None:
    Cursor.top(document).fields(bindings_.TOP_KEYS)["spec"].fields(bindings_.SPEC_KEYS)[
        "policy"
    ].choice(policies)


def _kind(document: Document) -> object:
    return document.value.get("kind") if isinstance(document.value, dict) else None


def _is_meant(document: Document) -> bool:
    """Whether it is a policy or binding, or was meant to be: reading it tells what is wrong."""
    if not isinstance(document.value, dict):
        return False
    spec = document.value.get("spec")
    return _kind(document) in KINDS or (
        isinstance(spec, dict) and not spec.keys().isdisjoint(("rules", "policy"))
    )


def _asked(policies: Sequence[Policy], bindings: Sequence[Binding]) -> Sequence[str]:
    """The facts about an exchange that any of the policies asks about."""
    asked = {"direction"}
    for binding in bindings:
        asked |= binding.scope.facts()
    for policy in policies:
        asked |= policy.scope.facts()
        for condition in policy.match_conditions.values():
            asked |= condition.rests_on
        for rule in policy.rules:
            asked |= rule.facts()
    return sorted(asked & FACTS.keys())
