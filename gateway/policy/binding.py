"""Bindings: where a policy applies, and how far it goes there.

After Kubernetes' ValidatingAdmissionPolicyBinding; its `validationActions` Deny, Warn and Audit
are our modes enforce, warn and shadow. A policy without a binding applies wherever it matches;
one with bindings only where one of them says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.judgement import Mode
from gateway.cursor import Cursor
from gateway.documents import Document
from gateway.policy.language import API_VERSION
from gateway.policy.matching import Fact, Scope
from gateway.policy.reading_rules import ID, read_mode
from gateway.policy.reading_scope import KINDS, read_match

KIND = "PolicyBinding"
TOP_KEYS = ("apiVersion", "kind", "metadata", "spec")
METADATA_KEYS = ("name", "description", "owner")
SPEC_KEYS = ("policy", "mode", "match")


@dataclass(frozen=True, slots=True)
class Binding:
    """A policy by its name, where it applies, and the furthest that its rules go there.

    kinds: of texts, if not all. at: file and line, for messages.
    """

    name: str
    policy: str
    mode: Mode
    scope: Scope
    kinds: frozenset[str] | None = None
    description: str = ""
    owner: str = ""
    at: str = ""

    def meaning(self) -> dict[str, Any]:
        """What it says, the same however it was written; not its remarks."""
        return {
            "name": self.name,
            "policy": self.policy,
            "mode": self.mode.value,
            "scope": self.scope.meaning(),
            "kinds": sorted(self.kinds) if self.kinds is not None else None,
        }


def read_binding(document: Document) -> Binding:
    """The binding in a document. Raises ConfigError with file, line and what is known."""
    top = Cursor.top(document).fields(TOP_KEYS, required=TOP_KEYS)
    top["apiVersion"].choice([API_VERSION])
    top["kind"].choice([KIND])
    metadata = top["metadata"].fields(METADATA_KEYS, required=("name",))
    spec = top["spec"].fields(SPEC_KEYS, required=("policy",))
    scope, kinds = read_match(spec["match"]) if "match" in spec else (Scope({}), None)
    return Binding(
        name=metadata["name"].text(ID, "small letters, digits and hyphens"),
        policy=spec["policy"].text(ID, "the name of a policy"),
        mode=read_mode(spec["mode"]) if "mode" in spec else Mode.ENFORCE,
        scope=scope,
        kinds=kinds,
        description=metadata["description"].text() if "description" in metadata else "",
        owner=metadata["owner"].text() if "owner" in metadata else "",
        at=top["metadata"].place,
    )


def limits(bindings: Iterable[Binding], facts: Mapping[str, Fact]) -> dict[str, Mode]:
    """How far rules may go by kind of text, after the furthest of the bindings that fit."""
    found: dict[str, Mode] = {}
    for binding in bindings:
        if binding.mode is Mode.OFF or binding.scope.mismatch(facts):
            continue
        for kind in binding.kinds or KINDS:
            if not found.get(kind, Mode.OFF).reaches(binding.mode):
                found[kind] = binding.mode
    return found
