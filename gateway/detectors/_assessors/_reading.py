"""The file of assessors: which there are, where they are, and when they are asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway.core.canonical import digest
from gateway.core.errors import ConfigError
from gateway.core.message import Direction, Kind
from gateway.core.ports import Band
from gateway.cursor import Cursor
from gateway.detectors._assessors._asking import Configured
from gateway.detectors._assessors._family import kinds, method
from gateway.documents import load

NAME = r"[a-z][a-z0-9_-]{0,62}"
KEYS = (
    "name",
    "kind",
    "model",
    "backend",
    "tier",
    "unsure",
    "directions",
    "kinds",
    "roles",
    "deadline_s",
    "at_once",
    "min_score",
    "options",
)
UNSURE_KEYS = ("scores", "detectors", "categories")
MAX_AT_ONCE = 256


def read(path: Path, taken: Collection[str] = ()) -> list[Configured]:
    """The assessors of a file, in its order. Raises ConfigError with file and line.

    taken: names that they may not have, for detectors have them.
    """
    documents = load(path)
    if len(documents) != 1:
        raise ConfigError(f"{path}:1: expected one YAML document, found {len(documents)}.")
    keys = ("apiVersion", "kind", "assessors")
    top = Cursor.top(documents[0]).fields(keys, required=keys)
    top["apiVersion"].choice(["gateway/v1"])
    top["kind"].choice(["Assessors"])
    found: dict[str, Configured] = {}
    for item in top["assessors"].items():
        name = item.fields(KEYS, required=("name", "kind"))["name"]
        written = name.text(NAME, "small letters, digits, - and _")
        if written in found or written in taken:
            raise name.error(f"the name {written!r} is taken.")
        found[written] = _assessor(item.named(f"assessor {written!r}"), written)
    return list(found.values())


def _assessor(item: Cursor, name: str) -> Configured:
    fields = item.fields(KEYS)
    kind = fields["kind"].choice(kinds())
    nothing = Cursor(item.document, (*item.at, "options"), {}, f"{item.what}, options")
    asked = method(kind, fields.get("options", nothing))
    place = "model" if asked.of_model else "backend"
    other = "backend" if asked.of_model else "model"
    if place not in fields or other in fields:
        raise item.error(f"{kind} needs {place!r}, of the catalogue, and no {other!r}.")
    return Configured(
        name=name,
        kind=kind,
        method=asked,
        config=digest(_spelt(item.value)),
        place=fields[place].text(),
        unsure=_unsure(fields["unsure"]) if "unsure" in fields else (),
        **_numbers(fields),
        **_texts(fields),
    )


def _unsure(cursor: Cursor) -> tuple[Band, ...]:
    """One band, as its two scores alone, or several with what they are about."""
    if _is_band(cursor.value):
        return (Band(*_scores(cursor)),)
    return tuple(_band(item) for item in cursor.items())


def _band(cursor: Cursor) -> Band:
    fields = cursor.fields(UNSURE_KEYS, required=("scores",))
    low, high = _scores(fields["scores"])
    named = {key: frozenset(fields[key].texts()) for key in UNSURE_KEYS[1:] if key in fields}
    return Band(low, high, **named)


def _is_band(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, int | float) for each in value)


def _scores(cursor: Cursor) -> tuple[float, float]:
    found = [item.fraction() for item in cursor.items()]
    if len(found) != 2 or found[0] > found[1]:
        raise cursor.error("expected two scores from 0 to 1, the lower one first.")
    return found[0], found[1]


def _numbers(fields: Mapping[str, Cursor]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "tier" in fields:
        found["tier"] = fields["tier"].count()
    if "min_score" in fields:
        found["min_score"] = fields["min_score"].fraction()
    if "deadline_s" in fields:
        found["deadline_s"] = seconds(fields["deadline_s"])
    if "at_once" in fields:
        found["at_once"] = fields["at_once"].count()
        if not 1 <= found["at_once"] <= MAX_AT_ONCE:
            raise fields["at_once"].error(f"expected 1 to {MAX_AT_ONCE}.")
    return found


def _texts(fields: Mapping[str, Cursor]) -> dict[str, Any]:
    """Which texts it is asked about."""
    found: dict[str, Any] = {}
    if "directions" in fields:
        names = fields["directions"].choices([each.value for each in Direction])
        found["directions"] = frozenset(map(Direction, names))
    if "kinds" in fields:
        names = fields["kinds"].choices([each.value for each in Kind])
        found["kinds"] = frozenset(map(Kind, names))
    if "roles" in fields:
        found["roles"] = frozenset(fields["roles"].texts())
    return found


def seconds(cursor: Cursor) -> float:
    """More than none, and at most an hour."""
    value = cursor.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3_600:
        raise cursor.error("expected seconds, more than 0 and at most 3600.")
    return float(value)


def _spelt(value: Any) -> Any:
    """The same with numbers as texts: a digest has one spelling for each value."""
    if isinstance(value, dict):
        return {key: _spelt(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelt(item) for item in value]
    return repr(value)
