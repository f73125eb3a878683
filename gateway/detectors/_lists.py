"""The operator's lists: terms that are findings, values that are none, thresholds by category.

    apiVersion: gateway/v1
    kind: Lists
    deny:
      - category: PROJECT_NAME
        terms: [Projekt Nordlicht]
        files: [projects.txt]
      - category: CUSTOMER_NUMBER
        forms: ["KD-<digit:6>"]
    allow:
      - values: [press@example.org]
        categories: [EMAIL_ADDRESS]
    thresholds: {PERSON: 0.7}

Files hold one entry a line and lie beside the YAML file; empty lines and those that begin with
"#" are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.alike import alike
from gateway.core.effects import ANSWER, REQUEST
from gateway.core.errors import ConfigError
from gateway.core.judgement import DATA_CLASS, DETECTOR_ERROR, OPAQUE, STATE, TERMS
from gateway.cursor import Cursor
from gateway.detectors._forms import ALPHABETS, Slot, read_form
from gateway.detectors._sieve import ANY, OPEN, Sieve
from gateway.detectors._written import form
from gateway.documents import Document, load, unknown

API_VERSION = "gateway/v1"
KIND = "Lists"
MAX_ENTRIES = 20_000
# A stream holds back as much as the longest term.
MIN_TERM_CHARS, MAX_TERM_CHARS = 3, 80
MAX_SLOT_CHARS = 64
CATEGORY = r"[A-Z][A-Z0-9_]{2,47}"
EVENTS = frozenset({ANSWER, DATA_CLASS, DETECTOR_ERROR, OPAQUE, REQUEST, STATE, TERMS})

TOP_KEYS = ("apiVersion", "kind", "deny", "allow", "thresholds")
DENY_KEYS = ("category", "terms", "forms", "files", "within_words")
ALLOW_KEYS = ("values", "files", "categories")

# Name of a group -> its categories; none if there is no such group.
Members = Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Denied:
    """Entries of one category. within_words: also where a term is part of a longer word."""

    category: str
    terms: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    within_words: bool = False

    @property
    def option(self) -> dict[str, Any]:
        """What the detector `listed` takes it as."""
        return {
            "category": self.category,
            "terms": list(self.terms),
            "forms": list(self.forms),
            "within_words": self.within_words,
        }


@dataclass(frozen=True, slots=True)
class Lists:
    """All that lists say."""

    denied: tuple[Denied, ...] = ()
    sieve: Sieve = OPEN

    def check(self, known: Collection[str], where: Path) -> None:
        """Raises ConfigError if they speak of a category that nothing reports."""
        for name in (*self.sieve.least, *self.sieve.allowed):
            if name != ANY and name not in known:
                raise ConfigError(f"{where}: unknown category {name!r}.{unknown(name, known)}")


def read(path: Path, members: Members) -> Lists:
    """The lists of a file, or of all files of a folder that hold some.

    Raises ConfigError with file and line.
    """
    denied: list[Denied] = []
    least: dict[str, float] = {}
    allowed: dict[str, frozenset[str]] = {}
    for document in _documents(path):
        top = Cursor.top(document).fields(TOP_KEYS, required=("apiVersion", "kind"))
        top["apiVersion"].choice([API_VERSION])
        top["kind"].choice([KIND])
        denied += map(_denied, _items(top.get("deny")))
        for item in _items(top.get("allow")):
            values, categories = _allowed(item, members)
            allowed |= {name: allowed.get(name, frozenset()) | values for name in categories}
        if "thresholds" in top:
            least |= _thresholds(top["thresholds"], members)
    entries = sum(len(each.terms) + len(each.forms) for each in denied)
    if entries > MAX_ENTRIES:
        raise ConfigError(
            f"{path}: expected at most {MAX_ENTRIES:,} terms and forms, found {entries:,}."
        )
    return Lists(tuple(denied), Sieve(least, allowed))


def _documents(path: Path) -> Iterator[Document]:
    """Those of a file; of a folder, such as that of policies, those that are lists."""
    if not path.is_dir():
        yield from (each for each in load(path) if each.value is not None)
        return
    for file in sorted(path.glob("*.yaml")):
        for document in load(file):
            if isinstance(document.value, dict) and document.value.get("kind") == KIND:
                yield document


def _items(cursor: Cursor | None) -> Iterator[Cursor]:
    return cursor.items() if cursor is not None else iter(())


def _denied(item: Cursor) -> Denied:
    fields = item.fields(DENY_KEYS, required=("category",))
    category = fields["category"].text(CATEGORY, "capitals, digits and _")
    if category in EVENTS:
        raise fields["category"].error(f"{category} is an event of the gateway's own.")
    terms = dict.fromkeys(_term(cursor, text) for cursor, text in _entries(fields, "terms"))
    forms = [_form(each) for each in _items(fields.get("forms"))]
    if not terms and not forms:
        raise item.error("holds neither terms nor forms.")
    within = fields["within_words"].truth() if "within_words" in fields else False
    return Denied(category, tuple(terms), tuple(forms), within)


def _entries(fields: dict[str, Cursor], key: str) -> Iterator[tuple[Cursor, str]]:
    """Those that stand in the document, and those in files beside it."""
    for cursor in _items(fields.get(key)):
        yield cursor, cursor.text()
    for cursor in _items(fields.get("files")):
        path = Path(cursor.document.path).parent / cursor.text()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as err:
            raise cursor.error(f"{path} cannot be read: {err.strerror}.") from err
        except UnicodeDecodeError as err:
            raise cursor.error(f"{path}: expected UTF-8; byte {err.start} is none.") from err
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                yield cursor.named(f"{path.name}, line {number}"), line.strip()


def _term(cursor: Cursor, text: str) -> str:
    """Refused without quoting it: what is on such a list is nobody else's business."""
    chars = len(form(text))
    if not MIN_TERM_CHARS <= chars <= MAX_TERM_CHARS:
        raise cursor.error(
            f"expected a term of {MIN_TERM_CHARS} to {MAX_TERM_CHARS} characters, found {chars}."
        )
    return text


def _form(cursor: Cursor) -> str:
    """A form that is found in linear time: how far each part of it goes shows where it ends."""
    text = cursor.text()
    try:
        pieces = read_form(text)
    except ValueError as err:
        raise cursor.error(str(err)) from err
    if any(isinstance(piece, str) and re.search(r"\s", piece) for piece in pieces):
        raise cursor.error("a form holds no white space.")
    if sum(len(p) if isinstance(p, str) else p.least for p in pieces) < MIN_TERM_CHARS:
        raise cursor.error(f"a form is at least {MIN_TERM_CHARS} characters long.")
    for piece, following in zip(pieces, (*pieces[1:], ""), strict=True):
        if isinstance(piece, Slot):
            _check_slot(cursor, piece, following)
    return text


def _check_slot(cursor: Cursor, slot: Slot, following: str | Slot) -> None:
    if slot.most is None or not slot.least <= slot.most <= MAX_SLOT_CHARS:
        raise cursor.error(f"a slot is of a bounded length, at most {MAX_SLOT_CHARS}.")
    if slot.least == slot.most or following == "":
        return
    if isinstance(following, Slot) or re.match(f"[{ALPHABETS[slot.alphabet]}]", following):
        raise cursor.error(
            f"behind <{slot.alphabet}:{slot.least}-{slot.most}> must stand a character that is "
            "none of its alphabet, or nothing."
        )


def _allowed(item: Cursor, members: Members) -> tuple[frozenset[str], list[str]]:
    fields = item.fields(ALLOW_KEYS)
    values = frozenset(alike(text) for _, text in _entries(fields, "values"))
    if not values:
        raise item.error("holds no values.")
    if "categories" not in fields:
        return values, [ANY]
    return values, [
        name for each in fields["categories"].items() for name in _named(each, each.text(), members)
    ]


def _thresholds(cursor: Cursor, members: Members) -> dict[str, float]:
    if not isinstance(cursor.value, dict):
        raise cursor.error("expected categories with scores.")
    fields = cursor.fields(tuple(cursor.value))
    return {
        name: each.fraction() for key, each in fields.items() for name in _named(each, key, members)
    }


def _named(cursor: Cursor, name: str, members: Members) -> Collection[str]:
    """A category, or those of a group."""
    group = name.removeprefix("group:")
    if group == name:
        return (name,)
    found = members(group)
    if not found:
        raise cursor.error(f"there is no group {group!r}. See: gateway list")
    return sorted(found)
