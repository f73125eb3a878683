"""A JSON Schema (draft 2020-12) of policy files, for editors.

It knows the names of this installation: actions, detectors, categories, groups. Reading a
policy says more than a schema can; what the schema refuses, reading refuses too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from gateway.core.judgement import Mode, StreamMode
from gateway.core.keeping import Keep
from gateway.core.languages import TAG
from gateway.core.message import Direction, Kind
from gateway.policy import binding, conditions, groups, reading, reading_examples, reading_rules
from gateway.policy.language import API_VERSION, KIND, Vocabulary
from gateway.policy.matching import EVENTS, FIELDS, PRINCIPAL_FIELDS

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_TRUTH = {"type": "boolean"}
_KINDS = {"type": "array", "items": {"enum": [k.value for k in Kind]}, "minItems": 1}
# As some editors read a bare `off`.
_MODES = {"enum": [*Mode, False]}


def schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of one document: a policy, or a binding of one."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy or PolicyBinding",
        "anyOf": [_policy(vocabulary), _binding(vocabulary.classes)],
    }


def _policy(vocabulary: Vocabulary) -> dict[str, Any]:
    spec = _object(
        {
            "match": _match(vocabulary.classes),
            "matchConditions": _named(conditions.EXCHANGE),
            "variables": _named(conditions.VARIABLES),
            "streaming": _one_of(mode.value for mode in StreamMode),
            "onDetectorError": _one_of(reading.on_error_actions(vocabulary)),
            "detectors": _object({"deadline_ms": _COUNT}),
            "assessors": _object({"always": _TEXTS, "deadline_s": _COUNT}),
            "keep": _object(
                {
                    "texts": _one_of(each.value for each in Keep),
                    "retention": _pattern(reading.CLASS),
                }
            ),
            "rules": {"type": "array", "items": _rule(vocabulary)},
            "examples": {"type": "array", "items": _example()},
        },
        ["rules"],
    )
    metadata = {
        "name": _pattern(reading_rules.ID),
        "version": _pattern(reading.VERSION),
        "description": _TEXT,
        "owner": _TEXT,
    }
    return _document(KIND, _object(metadata, ["name", "version"]), spec)


def _binding(classes: Collection[str]) -> dict[str, Any]:
    spec = {"policy": _pattern(reading_rules.ID), "mode": _MODES, "match": _match(classes)}
    metadata = {"name": _pattern(reading_rules.ID), "description": _TEXT, "owner": _TEXT}
    return _document(binding.KIND, _object(metadata, ["name"]), _object(spec, ["policy"]))


def _document(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    top = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": kind},
        "metadata": metadata,
        "spec": spec,
    }
    return _object(top, list(top))


def _match(classes: Collection[str]) -> dict[str, Any]:
    return _object(_scope(PRINCIPAL_FIELDS, classes) | {"kinds": _KINDS})


def _named(names: Mapping[str, str]) -> dict[str, Any]:
    """A list of named expressions."""
    fields = {"name": _TEXT, "expression": _expression(names)}
    return {"type": "array", "items": _object(fields, list(fields))}


def _expression(names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "string",
        "maxLength": conditions.MAX_CHARS,
        "description": "CEL over: " + ", ".join(f"{n} ({kind})" for n, kind in names.items()),
    }


def _rule(vocabulary: Vocabulary) -> dict[str, Any]:
    when = {
        "categories": _known(_category_names(vocabulary)),
        "min_score": _SCORE,
        "detectors": _known(vocabulary.detectors),
        "kinds": _KINDS,
        "roles": _TEXTS,
        **_scope((), vocabulary.classes),
        "principals": _object(dict.fromkeys(PRINCIPAL_FIELDS, _TEXTS)),
        "condition": _expression(conditions.VARIABLES),
    }
    rule = {
        "id": _pattern(reading_rules.ID),
        "description": _TEXT,
        "mode": _MODES,
        "when": _object(when, ["categories"]),
        "then": _one_of(vocabulary.actions),
        "with": {"type": "object"},
        "reason": _pattern(reading_rules.REASON),
        "messageExpression": _expression(conditions.VARIABLES),
        "message": {
            "anyOf": [
                _TEXT,
                {
                    "type": "object",
                    "description": "The same by language: en, de, pt-BR, ...",
                    "propertyNames": {"pattern": f"^{TAG}$"},
                    "additionalProperties": _TEXT,
                    "minProperties": 1,
                },
            ]
        },
    }
    return _object(rule, ["id", "when", "then"])


def _example() -> dict[str, Any]:
    finding = {
        "category": _TEXT,
        "start": _COUNT,
        "end": _COUNT,
        "score": _SCORE,
        "detector": _TEXT,
        "note": _TEXT,
    }
    expect = {
        "outcome": _one_of(reading_examples.OUTCOMES),
        "text": _TEXT,
        "rules": {"type": "array", "items": _TEXT},
    }
    principal = dict.fromkeys(reading_examples.PRINCIPAL_KEYS, _TEXT) | {"roles": _TEXTS}
    example = {
        "name": _TEXT,
        "direction": _one_of(d.value for d in Direction),
        "text": _TEXT,
        "findings": {
            "type": "array",
            "items": _object(finding, ["category", "start", "end"]),
        },
        "role": _TEXT,
        "kind": _one_of(k.value for k in Kind),
        **dict.fromkeys(reading_examples.ABOUT_KEYS, _TEXT),
        **dict.fromkeys(reading_examples.FLAG_KEYS, _TRUTH),
        **dict.fromkeys(reading_examples.CLASS_KEYS, _TEXTS),
        "retention_days": _COUNT,
        **dict.fromkeys(reading_examples.NAMES_KEYS, _TEXTS),
        "principal": _object(principal),
        "expect": _object(expect, ["outcome"]),
    }
    return _object(example, ["name", "expect"])


def _scope(principals: Collection[str], classes: Collection[str]) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys((*FIELDS, *principals), _TEXTS)
    directions = _one_of(d.value for d in Direction)
    if classes:
        one = {"type": "array", "items": _one_of(sorted(classes)), "minItems": 1}
        fields["data_classes"] = one
    return fields | {"directions": {"type": "array", "items": directions, "minItems": 1}}


def _category_names(vocabulary: Vocabulary) -> set[str]:
    names = {f"group:{name}" for name in groups.names(vocabulary.groups)}
    return names.union(EVENTS, *vocabulary.detectors.values())


def _known(names: Collection[str]) -> dict[str, Any]:
    """A list of names: these are offered, others may be globs."""
    offered = {"anyOf": [{"enum": sorted(names)}, _TEXT]} if names else _TEXT
    return {"type": "array", "items": offered, "minItems": 1}


def _object(properties: dict[str, Any], required: Collection[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _one_of(names: Iterable[str]) -> dict[str, Any]:
    return {"enum": list(names)}


def _pattern(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}
