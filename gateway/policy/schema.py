"""A JSON Schema (draft 2020-12) of policy files, for editors.

It knows the names of this installation: actions, detectors, categories, groups. Reading a
policy says more than a schema can; what the schema refuses, reading refuses too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gateway.core.judgement import Mode, StreamMode
from gateway.core.keeping import Keep
from gateway.core.languages import TAG
from gateway.core.message import Direction, Kind
from gateway.jsonschema import COUNT, DRAFT, SCORE, TEXT, TEXTS, TRUTH, mapping, one_of, written
from gateway.policy import binding, conditions, groups, reading, reading_examples, reading_rules
from gateway.policy.language import API_VERSION, KIND, Vocabulary
from gateway.policy.matching import EVENTS, FIELDS, PRINCIPAL_FIELDS
from gateway.policy.schema_parameters import parameters_of

_KINDS = {"type": "array", "items": {"enum": [k.value for k in Kind]}, "minItems": 1}
# As some editors read a bare `off`.
_MODES = {"enum": [*Mode, False]}


def schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of one document: a policy, or a binding of one."""
    return {
        "$schema": DRAFT,
        "title": "Policy or PolicyBinding",
        "anyOf": [_policy(vocabulary), _binding(vocabulary.classes)],
    }


def _policy(vocabulary: Vocabulary) -> dict[str, Any]:
    spec = mapping(
        {
            "match": _match(vocabulary.classes),
            "matchConditions": _named(conditions.EXCHANGE),
            "variables": _named(conditions.VARIABLES),
            "streaming": one_of(mode.value for mode in StreamMode),
            "onDetectorError": one_of(reading.on_error_actions(vocabulary)),
            "detectors": mapping({"deadline_ms": COUNT}),
            "assessors": mapping({"always": TEXTS, "deadline_s": COUNT}),
            "keep": mapping(
                {
                    "texts": one_of(each.value for each in Keep),
                    "retention": written(reading.CLASS),
                }
            ),
            "rules": {"type": "array", "items": _rule(vocabulary)},
            "examples": {"type": "array", "items": _example()},
        },
        ["rules"],
    )
    metadata = {
        "name": written(reading_rules.ID),
        "version": written(reading.VERSION),
        "description": TEXT,
        "owner": TEXT,
    }
    return _document(KIND, mapping(metadata, ["name", "version"]), spec)


def _binding(classes: Collection[str]) -> dict[str, Any]:
    spec = {"policy": written(reading_rules.ID), "mode": _MODES, "match": _match(classes)}
    metadata = {"name": written(reading_rules.ID), "description": TEXT, "owner": TEXT}
    return _document(binding.KIND, mapping(metadata, ["name"]), mapping(spec, ["policy"]))


def _document(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    top = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": kind},
        "metadata": metadata,
        "spec": spec,
    }
    return mapping(top, list(top))


def _match(classes: Collection[str]) -> dict[str, Any]:
    return mapping(_scope(PRINCIPAL_FIELDS, classes) | {"kinds": _KINDS})


def _named(names: Mapping[str, str]) -> dict[str, Any]:
    """A list of named expressions."""
    fields = {"name": TEXT, "expression": _expression(names)}
    return {"type": "array", "items": mapping(fields, list(fields))}


def _expression(names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "string",
        "maxLength": conditions.MAX_CHARS,
        "description": "CEL over: " + ", ".join(f"{n} ({kind})" for n, kind in names.items()),
    }


def _rule(vocabulary: Vocabulary) -> dict[str, Any]:
    when = {
        "categories": _known(_category_names(vocabulary)),
        "min_score": SCORE,
        "detectors": _known(vocabulary.detectors),
        "kinds": _KINDS,
        "roles": TEXTS,
        **_scope((), vocabulary.classes),
        "principals": mapping(dict.fromkeys(PRINCIPAL_FIELDS, TEXTS)),
        "condition": _expression(conditions.VARIABLES),
    }
    rule = {
        "id": written(reading_rules.ID),
        "description": TEXT,
        "mode": _MODES,
        "when": mapping(when, ["categories"]),
        "then": one_of(vocabulary.actions),
        "with": {
            "type": "object",
            "description": "How the action is to be done. What stands here depends on `then`.",
        },
        "reason": written(reading_rules.REASON),
        "messageExpression": _expression(conditions.VARIABLES),
        "message": {
            "anyOf": [
                TEXT,
                {
                    "type": "object",
                    "description": "The same by language: en, de, pt-BR, ...",
                    "propertyNames": {"pattern": f"^{TAG}$"},
                    "additionalProperties": TEXT,
                    "minProperties": 1,
                },
            ]
        },
    }
    each_action = [parameters_of(name, each) for name, each in vocabulary.actions.items()]
    return {**mapping(rule, ["id", "when", "then"]), "allOf": each_action}


def _example() -> dict[str, Any]:
    finding = {
        "category": TEXT,
        "start": COUNT,
        "end": COUNT,
        "score": SCORE,
        "detector": TEXT,
        "note": TEXT,
    }
    expect = {
        "outcome": one_of(reading_examples.OUTCOMES),
        "text": TEXT,
        "rules": {"type": "array", "items": TEXT},
    }
    principal = dict.fromkeys(reading_examples.PRINCIPAL_KEYS, TEXT) | {"roles": TEXTS}
    example = {
        "name": TEXT,
        "direction": one_of(d.value for d in Direction),
        "text": TEXT,
        "findings": {
            "type": "array",
            "items": mapping(finding, ["category", "start", "end"]),
        },
        "role": TEXT,
        "kind": one_of(k.value for k in Kind),
        **dict.fromkeys(reading_examples.ABOUT_KEYS, TEXT),
        **dict.fromkeys(reading_examples.FLAG_KEYS, TRUTH),
        **dict.fromkeys(reading_examples.CLASS_KEYS, TEXTS),
        "retention_days": COUNT,
        **dict.fromkeys(reading_examples.NAMES_KEYS, TEXTS),
        "principal": mapping(principal),
        "expect": mapping(expect, ["outcome"]),
    }
    return mapping(example, ["name", "expect"])


def _scope(principals: Collection[str], classes: Collection[str]) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys((*FIELDS, *principals), TEXTS)
    directions = one_of(d.value for d in Direction)
    if classes:
        one = {"type": "array", "items": one_of(sorted(classes)), "minItems": 1}
        fields["data_classes"] = one
    return fields | {"directions": {"type": "array", "items": directions, "minItems": 1}}


def _category_names(vocabulary: Vocabulary) -> set[str]:
    names = {f"group:{name}" for name in groups.names(vocabulary.groups)}
    return names.union(EVENTS, *vocabulary.detectors.values())


def _known(names: Collection[str]) -> dict[str, Any]:
    """A list of names: these are offered, others may be globs."""
    offered = {"anyOf": [{"enum": sorted(names)}, TEXT]} if names else TEXT
    return {"type": "array", "items": offered, "minItems": 1}
