"""A place in a YAML document, with the questions a reader asks there and errors that say where."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.core.errors import ConfigError
from gateway.documents import Document, unknown

MAX_TEXT_CHARS = 4_000
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cursor:
    """One value of a document. what: how messages call it."""

    document: Document
    at: tuple[str | int, ...]
    value: Any
    what: str

    @staticmethod
    def top(document: Document) -> Cursor:
        """The whole document."""
        return Cursor(document, (), document.value, "the document")

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.document.path}:{self.document.lines.get(self.at, 1)}"

    def error(self, message: str) -> ConfigError:
        """A ConfigError about this value."""
        return self.document.error(self.at, f"{self.what}: {message}")

    def named(self, what: str) -> Cursor:
        """The same place under another name."""
        return Cursor(self.document, self.at, self.value, what)

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> dict[str, Cursor]:
        """The values of a mapping by key. Unknown and missing keys are errors."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected {_list(known)} with values, found {_kind(self.value)}.")
        for key in self.value:
            if key not in known:
                where = Cursor(self.document, (*self.at, key), None, self.what)
                raise where.error(f"unknown key {key!r}.{unknown(key, known)}")
        for key in required:
            if key not in self.value:
                raise self.error(f"{key!r} is missing.")
        prefix = "" if self.what == "the document" else f"{self.what}, "
        return {
            key: Cursor(self.document, (*self.at, key), value, f"{prefix}{key}")
            for key, value in self.value.items()
        }

    def items(self) -> Iterator[Cursor]:
        """The values of a list."""
        if not isinstance(self.value, list):
            raise self.error(f"expected a list, found {_kind(self.value)}.")
        for index, value in enumerate(self.value):
            yield Cursor(self.document, (*self.at, index), value, f"{self.what}[{index}]")

    def text(self, pattern: str = "", hint: str = "") -> str:
        """A text. pattern: what it must look like, in the words of `hint`."""
        if not isinstance(self.value, str):
            quote = " Put it in quotes." if isinstance(self.value, bool | int | float) else ""
            raise self.error(f"expected text, found {_kind(self.value)}.{quote}")
        if len(self.value) > MAX_TEXT_CHARS:
            raise self.error(f"longer than {MAX_TEXT_CHARS} characters.")
        if _SURROGATE.search(self.value):
            raise self.error("holds half of a surrogate pair.")
        if pattern and not re.fullmatch(pattern, self.value):
            raise self.error(f"expected {hint}, found {self.value[:80]!r}.")
        return self.value

    def texts(self) -> list[str]:
        """A list of texts with at least one in it."""
        found = [item.text() for item in self.items()]
        if not found:
            raise self.error("is empty. Leave it out to have everything fit.")
        return found

    def choice(self, known: Collection[str]) -> str:
        """One of the known names."""
        name = self.text()
        if name not in known:
            raise self.error(f"unknown name {name[:80]!r}.{unknown(name[:80], known)}")
        return name

    def choices(self, known: Collection[str]) -> list[str]:
        """Several of the known names."""
        self.texts()
        return [item.choice(known) for item in self.items()]

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"expected true or false, found {_kind(self.value)}.")
        return self.value

    def fraction(self) -> float:
        """A number from 0 to 1."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.error(f"expected a number from 0 to 1, found {_kind(value)}.")
        return float(value)

    def count(self) -> int:
        """A whole number that is not negative."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 0:
            raise self.error(f"expected a whole number, found {_kind(self.value)}.")
        return self.value


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {value[:80]!r}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else str(value).lower()[:80]


def _list(known: Collection[str]) -> str:
    return ", ".join(sorted(known))
