"""A JSON Schema (draft 2020-12) of terms profiles, for editors.

It is made of the names that reading knows. Reading asks more than a schema can: that ids are taken
once, that clauses say what their class can do. What the schema refuses, reading refuses too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gateway.jsonschema import (
    COUNT,
    DRAFT,
    SCORE,
    TEXT,
    TEXTS,
    TRUTH,
    mapping,
    one_of,
    some_of,
    written,
)
from gateway.terms import facts, places, reading, reading_clauses, reading_handling
from gateway.terms.profile import API_VERSION, KIND, Certainty, Class

_DAYS = {**COUNT, "maximum": reading_handling.MAX_DAYS}
_CLAUSE = written(reading_clauses.ID)


def schema(hazards: Collection[str]) -> dict[str, Any]:
    """The schema of one profile. hazards: the ids of the taxonomy."""
    licence = {"spdx": TEXT, "class": one_of(reading.LICENCE_CLASSES)}
    top = {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": KIND},
        "metadata": _metadata(),
        "sources": _list(_source()),
        "applies_to": mapping({"providers": TEXTS, "models": TEXTS}),
        "license": mapping(licence, ["class"]),
        "acceptance": _acceptance(),
        "tiers": _list(written(reading_handling.TIER)),
        "clauses": _list(_clause(hazards)),
        "notices": _list(_notice()),
        "disclose_ai": one_of(reading.DISCLOSURES),
        "output_use": _output_use(),
        "data": _data(),
        "examples": _list(_example(hazards)),
    }
    return {"$schema": DRAFT, "title": KIND, **mapping(top, reading.TOP_NEEDED)}


def _metadata() -> dict[str, Any]:
    keys = {
        "id": written(reading.ID),
        "rev": written(reading.REV),
        "status": one_of(reading.STATUSES),
        "title": TEXT,
        "summary": TEXT,
        "certainty": one_of(Certainty),
    }
    return mapping(keys, reading.METADATA_NEEDED)


def _source() -> dict[str, Any]:
    keys = {
        "title": TEXT,
        "kind": one_of(reading.SOURCE_KINDS),
        "url": _or_null(written(reading.URL)),
        "date": _or_null(written(reading.DATE)),
        "retrieved": _or_null(written(reading.DATE)),
        "sha256": _or_null(written(reading.SHA256)),
        "certainty": one_of(Certainty),
    }
    return mapping(keys, reading.SOURCE_NEEDED)


def _acceptance() -> dict[str, Any]:
    keys = {"required": TRUTH, "valid_days": _DAYS, "grace_days": _DAYS}
    return mapping(keys, reading.ACCEPTANCE_NEEDED)


def _clause(hazards: Collection[str]) -> dict[str, Any]:
    regions = {
        "deny": _list(written(places.PATTERN), least=1),
        "of": one_of(reading_clauses.SUBJECTS),
    }
    keys = {
        "id": _CLAUSE,
        "reference": TEXT,
        "class": one_of(Class),
        "certainty": one_of(Certainty),
        "summary": TEXT,
        "hazards": some_of(sorted(hazards)),
        "domains": TEXTS,
        "modalities": some_of(reading_clauses.MODALITIES),
        "action": one_of(reading_clauses.ACTIONS),
        "min_score": SCORE,
        "regions": mapping(regions, regions),
        "min_age": COUNT,
        "tiers": TEXTS,
        "attests": written(facts.NAME),
    }
    return mapping(keys, reading_clauses.CLAUSE_NEEDED)


def _notice() -> dict[str, Any]:
    keys = {"id": TEXT, "clause": _CLAUSE, "text": TEXT, "where": one_of(reading.NOTICE_PLACES)}
    return mapping(keys, reading.NOTICE_KEYS)


def _output_use() -> dict[str, Any]:
    use = one_of(reading_handling.OUTPUT_USES)
    keys = {"train_other_models": use, "compete": use, "naming_prefix": TEXT, "clause": _CLAUSE}
    return mapping(keys)


def _data() -> dict[str, Any]:
    handling = {
        # A bare `yes` is a truth value to some editors.
        "trains": one_of([*reading_handling.TRAINS, True, False]),
        "retention_days": _or_null(_DAYS),
        "locations": TEXTS,
        "clause": _CLAUSE,
    }
    tier = mapping({"tier": written(reading_handling.TIER), **handling}, ["tier"])
    return mapping({**handling, "tiers": _list(tier)})


def _example(hazards: Collection[str]) -> dict[str, Any]:
    keys = {
        "name": TEXT,
        "provider": TEXT,
        "model": TEXT,
        "tier": TEXT,
        "trains": TRUTH,
        "retention_days": COUNT,
        "modalities": some_of(reading_clauses.MODALITIES),
        "accepted": TRUTH,
        "attested": _list(TEXT),
        "hazard": one_of(sorted(hazards)),
        "expect": mapping({"states": _list(TEXT), "rules": _list(_CLAUSE)}),
    }
    return mapping(keys, ["name", "provider", "model", "expect"])


def _list(of: dict[str, Any], *, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": of, **({"minItems": least} if least else {})}


def _or_null(of: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [of, {"type": "null"}]}
