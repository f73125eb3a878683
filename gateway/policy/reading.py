"""A policy document becomes a `Policy`, or an error that says which line to mend."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from gateway.core.effects import REQUEST
from gateway.core.judgement import DATA_CLASS, DETECTOR_ERROR, TERMS, StreamMode
from gateway.core.keeping import Keep, Keeping
from gateway.core.message import Direction
from gateway.core.ports import Asking
from gateway.cursor import Cursor
from gateway.documents import Document
from gateway.policy.conditions import of_findings
from gateway.policy.language import API_VERSION, KIND, ON_ERROR_RULE, Policy, Rule, Vocabulary
from gateway.policy.matching import Names, Scope
from gateway.policy.reading_examples import read_examples
from gateway.policy.reading_expressions import read_match_conditions, read_variables
from gateway.policy.reading_rules import ID, Known, read_rules
from gateway.policy.reading_scope import read_match

CLASS = r"[a-z][a-z0-9_-]{0,31}"
VERSION = r"[A-Za-z0-9][A-Za-z0-9.+-]{0,62}"

TOP_KEYS = ("apiVersion", "kind", "metadata", "spec")
METADATA_KEYS = ("name", "version", "description", "owner")
SPEC_KEYS = (
    "match",
    "matchConditions",
    "variables",
    "streaming",
    "onDetectorError",
    "detectors",
    "assessors",
    "keep",
    "rules",
    "examples",
)
KEEP_KEYS = ("texts", "retention")
ASSESSORS_KEYS = ("always", "deadline_s")
DETECTORS_KEYS = ("deadline_ms",)
MAX_DEADLINE_S = 600
# Events that no answer raises.
_OF_REQUESTS = frozenset({DATA_CLASS, REQUEST, TERMS})


def read(document: Document, vocabulary: Vocabulary) -> Policy:
    """The policy in a document. Raises ConfigError with file, line and what is known."""
    top = Cursor.top(document).fields(TOP_KEYS, required=TOP_KEYS)
    top["apiVersion"].choice([API_VERSION])
    top["kind"].choice([KIND, "PolicyBinding"])
    metadata = top["metadata"].fields(METADATA_KEYS, required=("name", "version"))
    spec = top["spec"].fields(SPEC_KEYS, required=("rules",))
    scope, kinds = (
        read_match(spec["match"], vocabulary.classes) if "match" in spec else (Scope({}), None)
    )
    names, variables = (
        read_variables(spec["variables"]) if "variables" in spec else (of_findings(), {})
    )
    rules = read_rules(spec["rules"], Known(vocabulary, names, kinds))
    policy = Policy(
        name=metadata["name"].text(ID, "small letters, digits and hyphens"),
        version=metadata["version"].text(VERSION, "a version such as 2026.11.1"),
        description=metadata["description"].text() if "description" in metadata else "",
        owner=metadata["owner"].text() if "owner" in metadata else "",
        at=top["metadata"].place,
        scope=scope,
        match_conditions=read_match_conditions(spec["matchConditions"])
        if "matchConditions" in spec
        else {},
        variables=variables,
        streaming=_streaming(spec),
        rules=(*rules, _on_error(spec, vocabulary, kinds)),
        deadline_ms=_deadline(spec["detectors"]) if "detectors" in spec else 0,
        asking=_asking(spec["assessors"], vocabulary) if "assessors" in spec else Asking(),
        keeping=_keeping(spec["keep"], vocabulary) if "keep" in spec else None,
    )
    _check_streaming(policy, spec)
    _check_requests(policy, spec)
    if "examples" in spec:
        ids = frozenset(rule.id for rule in policy.rules)
        return read_examples(policy, spec["examples"], ids)
    return policy


def _streaming(spec: Mapping[str, Cursor]) -> StreamMode:
    if "streaming" not in spec:
        return StreamMode.WINDOW
    return StreamMode(spec["streaming"].choice([mode.value for mode in StreamMode]))


def _deadline(cursor: Cursor) -> int:
    """How long detectors may take, in milliseconds; 0 if it does not say."""
    fields = cursor.fields(DETECTORS_KEYS)
    if "deadline_ms" not in fields:
        return 0
    deadline_ms = fields["deadline_ms"].count()
    if not 0 < deadline_ms <= MAX_DEADLINE_S * 1000:
        expected = f"expected milliseconds, from 1 to {MAX_DEADLINE_S * 1000}."
        raise fields["deadline_ms"].error(expected)
    return deadline_ms


def _asking(cursor: Cursor, vocabulary: Vocabulary) -> Asking:
    fields = cursor.fields(ASSESSORS_KEYS)
    always: Collection[str] = ()
    if "always" in fields:
        always = fields["always"].texts()
        for item in fields["always"].items() if vocabulary.detectors else ():
            item.choice(vocabulary.assessors)
    deadline_s = fields["deadline_s"].count() if "deadline_s" in fields else 0
    if deadline_s > MAX_DEADLINE_S:
        raise fields["deadline_s"].error(f"expected at most {MAX_DEADLINE_S} seconds.")
    return Asking(frozenset(always), deadline_s)


def _keeping(cursor: Cursor, vocabulary: Vocabulary) -> Keeping:
    fields = cursor.fields(KEEP_KEYS)
    keeping = Keeping()
    if "texts" in fields:
        keeping = replace(
            keeping, texts=Keep(fields["texts"].choice([each.value for each in Keep]))
        )
    if "retention" in fields:
        if vocabulary.retentions:
            fields["retention"].choice(sorted(vocabulary.retentions))
        keeping = replace(keeping, retention=fields["retention"].text(CLASS, "the name of a class"))
    return keeping


def _on_error(
    spec: Mapping[str, Cursor], vocabulary: Vocabulary, kinds: frozenset[str] | None
) -> Rule:
    """What happens to a text that a detector could not judge; the last rule of every policy."""
    name = "block"
    if "onDetectorError" in spec:
        name = spec["onDetectorError"].choice(on_error_actions(vocabulary))
    return Rule(
        id=ON_ERROR_RULE,
        action=vocabulary.actions[name],
        reason=DETECTOR_ERROR,
        words={},
        scope=Scope({}),
        categories=Names.of([DETECTOR_ERROR]),
        kinds=kinds,
    )


def on_error_actions(vocabulary: Vocabulary) -> list[str]:
    """What may be done on an error: it may come up in an answer, which has no other way to go."""
    return [
        name for name, action in vocabulary.actions.items() if not (action.holds or action.reroutes)
    ]


def _check_streaming(policy: Policy, spec: Mapping[str, Cursor]) -> None:
    if policy.streaming is not StreamMode.OBSERVE:
        return
    for rule in policy.rules:
        if rule.enforces and _sees_answers(policy, rule):
            hint = " Set onDetectorError: flag." if rule.id == ON_ERROR_RULE else ""
            raise spec["streaming"].error(
                f"'observe' lets answers out before they are judged, but rule {rule.id!r} would "
                f"{rule.action.name} them. Use window or hold.{hint}"
            )


def _check_requests(policy: Policy, spec: Mapping[str, Cursor]) -> None:
    """What can be done to requests alone is not asked for answers."""
    for item, rule in zip(spec["rules"].items(), policy.rules, strict=False):
        if rule.action.holds:
            why = (
                "an answer is never the same twice, so one that was approved could not be had again"
            )
        elif rule.action.reroutes:
            why = "an answer goes to whoever asked"
        else:
            continue
        if _sees_answers(policy, rule):
            raise item.named(f"rule {rule.id!r}").error(
                f"{rule.action.name!r} is for requests: {why}. Say `directions: [request]` "
                "under `when`."
            )


def _sees_answers(policy: Policy, rule: Rule) -> bool:
    if rule.categories.exact <= _OF_REQUESTS and not rule.categories.globs:
        return False
    scopes = (policy.scope.fields.get("directions"), rule.scope.fields.get("directions"))
    return all(names is None or names.match(Direction.RESPONSE) for names in scopes)
