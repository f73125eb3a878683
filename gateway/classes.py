"""The file that says which classes of data there are, and which findings show them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from gateway.core.classes import Classes, Shown
from gateway.core.clearance import LEVELS, DataClass
from gateway.core.errors import ConfigError
from gateway.core.judgement import DETECTOR_ERROR, OPAQUE
from gateway.cursor import Cursor
from gateway.documents import load, unknown

API_VERSION = "gateway/v1"
KIND = "Classes"
NAME = r"[a-z][a-z0-9_-]{0,30}"
EVENTS = frozenset({DETECTOR_ERROR, OPAQUE})

_TOP = ("apiVersion", "kind", "default", "lowering", "classes")
_EACH = ("name", "level", "categories", "min_score")


def read(
    path: Path,
    members: Callable[[str], frozenset[str]] | None = None,
    known: Collection[str] = (),
) -> Classes:
    """The classes in a file. Raises ConfigError with file and line.

    members: the categories of a group, none if there is no such group; without it groups show
    nothing, and only the names of the classes can be relied on. known: all categories; without
    any, their names are not checked.
    """
    documents = load(path)
    if len(documents) != 1:
        raise ConfigError(f"{path}:1: expected one YAML document, found {len(documents)}.")
    top = Cursor.top(documents[0]).fields(_TOP, required=("apiVersion", "kind", "classes"))
    top["apiVersion"].choice([API_VERSION])
    top["kind"].choice([KIND])
    special: dict[str, str] = {}
    shows: dict[str, tuple[Shown, ...]] = {}
    seen: set[str] = set()
    for item in top["classes"].items():
        data, fields = _class(item, seen)
        special |= dict.fromkeys(data.special, data.level)
        shown = Shown(fields["min_score"].fraction() if "min_score" in fields else 0.0, data)
        for category in _categories(fields.get("categories"), members, known):
            shows[category] = (*shows.get(category, ()), shown)
    return Classes(
        default=DataClass.of(top["default"].choice(LEVELS) if "default" in top else LEVELS[0]),
        special=special,
        shows=shows,
        lowering=frozenset(top["lowering"].texts() if "lowering" in top else ()),
    )


def _class(item: Cursor, seen: set[str]) -> tuple[DataClass, dict[str, Cursor]]:
    fields = item.fields(_EACH, required=("name",))
    name = fields["name"].text(NAME, "small letters, digits, _ and -")
    if name in seen:
        raise fields["name"].error(f"the class {name!r} is given twice.")
    seen.add(name)
    if name in LEVELS:
        if "level" in fields:
            raise fields["level"].error(f"{name!r} is a level itself.")
        return DataClass.of(name), fields
    if "level" not in fields:
        raise item.error(f"'level' is missing: one of {', '.join(LEVELS)}.")
    return DataClass.of(fields["level"].choice(LEVELS), name), fields


def _categories(
    cursor: Cursor | None,
    members: Callable[[str], frozenset[str]] | None,
    known: Collection[str],
) -> Iterator[str]:
    for item in cursor.items() if cursor is not None else ():
        name = item.text()
        group = name.removeprefix("group:")
        if group != name:
            if members is None:
                continue
            found = members(group)
            if not found:
                raise item.error(f"there is no group {group!r}. See: gateway list")
            yield from sorted(found)
        elif known and name not in EVENTS and name not in known:
            raise item.error(f"unknown category {name!r}.{unknown(name, known)}")
        else:
            yield name
