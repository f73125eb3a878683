"""The ids of what can be wrong with a text, as data: hazards, and attacks on what reads it.

`taxonomy.yaml` beside this file holds them with what other taxonomies call them. A finding's
category is an id in capital letters. Policies get groups from it, evaluation its scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway import documents
from gateway.cursor import Cursor

FILE = Path(__file__).with_suffix(".yaml")
# The category of a detector that cannot tell which hazard it is.
UNSAFE = "UNSAFE"

EFFECTS = ("block", "flag", "allow", "disclose", "review", "setting")
HAZARD_NAMES = ("llama_guard", "ailuminate", "nemotron", "openai")
SECURITY_NAMES = ("owasp", "agentic", "atlas")

_ID = r"[a-z][a-z_]{1,46}[a-z]"
_SHARED = ("title", "part_of", "nearest")
_HAZARD_KEYS = (*_SHARED, "effect", "unsafe", "also", "labels", *HAZARD_NAMES)
_SECURITY_KEYS = (*_SHARED, "speaks_for", *SECURITY_NAMES)


@dataclass(frozen=True, slots=True)
class Entry:
    """One id. The file says what each key means.

    names: what other taxonomies call it, by taxonomy; those of `nearest` only come close.
    effect, unsafe, also, labels: of a hazard. speaks_for: of an attack.
    """

    id: str
    title: str
    part_of: str
    names: Mapping[str, tuple[str, ...]]
    nearest: tuple[str, ...] = ()
    effect: str = ""
    unsafe: bool = False
    also: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    speaks_for: str = ""

    @property
    def category(self) -> str:
        """As findings call it."""
        return self.id.upper()


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All of it, by id and in the order of the file."""

    version: str
    hazards: Mapping[str, Entry]
    security: Mapping[str, Entry]

    def groups(self) -> dict[str, frozenset[str]]:
        """Groups of categories for policies.

        `hazard.ID` and `security.ID` are an id and its parts; `unsafe` is what makes a text
        unsafe; `effect.NAME` is what this effect is usual for.
        """
        out: dict[str, frozenset[str]] = {}
        for family, entries in (("hazard", self.hazards), ("security", self.security)):
            for entry in entries.values():
                if not entry.part_of:
                    out[f"{family}.{entry.id}"] = _categories(
                        other for other in entries.values() if entry.id in (other.id, other.part_of)
                    )
        hazards = self.hazards.values()
        out["unsafe"] = _categories(e for e in hazards if e.unsafe) | {UNSAFE}
        for effect in EFFECTS:
            out[f"effect.{effect}"] = _categories(e for e in hazards if e.effect == effect)
        out["effect.block"] |= {UNSAFE}
        return out

    def categories(self) -> dict[str, frozenset[str]]:
        """The categories that each id stands for: its own and those of its parts."""
        entries = {**self.hazards, **self.security}
        return {
            id_: _categories(each for each in entries.values() if id_ in (each.id, each.part_of))
            for id_ in entries
        }


@cache
def load(path: Path = FILE) -> Taxonomy:
    """Reads the file, once. Raises ConfigError with file and line."""
    (document,) = documents.load(path)
    fields = Cursor.top(document).fields(keys := ("version", "hazards", "security"), keys)
    return Taxonomy(
        version=fields["version"].text(),
        hazards=_entries(fields["hazards"], _HAZARD_KEYS, ("title", "effect", "unsafe")),
        security=_entries(fields["security"], _SECURITY_KEYS, ("title",)),
    )


def _entries(cursor: Cursor, keys: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Entry]:
    out: dict[str, Entry] = {}
    for id_, place in cursor.fields(cursor.value if isinstance(cursor.value, dict) else ()).items():
        if not re.fullmatch(_ID, id_):
            raise place.error("an id is small letters and underscores.")
        out[id_] = _entry(id_, place.fields(keys, needed))
    for id_, place in cursor.fields(out).items():
        parent = out[id_].part_of
        if parent and (parent not in out or out[parent].part_of):
            raise place.error(f"part_of: {parent!r} is no id here that is a whole itself.")
    return out


def _entry(id_: str, fields: Mapping[str, Cursor]) -> Entry:
    def texts(key: str, known: tuple[str, ...] | None = None) -> tuple[str, ...]:
        if key not in fields:
            return ()
        return tuple(fields[key].texts() if known is None else fields[key].choices(known))

    names = {key: texts(key) for key in (*HAZARD_NAMES, *SECURITY_NAMES) if key in fields}
    return Entry(
        id=id_,
        title=fields["title"].text(),
        part_of=fields["part_of"].text() if "part_of" in fields else "",
        names=names,
        nearest=texts("nearest", tuple(names)),
        effect=fields["effect"].choice(EFFECTS) if "effect" in fields else "",
        unsafe=fields["unsafe"].truth() if "unsafe" in fields else False,
        also=texts("also", ("escalate", "resources")),
        labels=texts("labels"),
        speaks_for=fields["speaks_for"].choice(("injection",)) if "speaks_for" in fields else "",
    )


def _categories(entries: Iterable[Entry]) -> frozenset[str]:
    return frozenset(entry.category for entry in entries)
