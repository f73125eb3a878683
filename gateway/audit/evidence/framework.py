"""Frameworks: laws and standards, control by control, and what the log can show of each.

A YAML file each in `frameworks/`. Numbers of articles and controls are facts; titles and readings
are our own words, with how sure their reader is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from gateway.audit import questions
from gateway.audit.evidence.figures import FIGURES
from gateway.core.errors import ConfigError
from gateway.documents import Document, load, unknown

FOLDER = Path(__file__).parent / "frameworks"
API_VERSION = "gateway/evidence/v1"
_TEXTS = ("id", "title", "log", "certainty", "shows", "lacks")


class Standing(StrEnum):
    """How far the log goes for a control."""

    SHOWS = "shows"
    PARTLY = "partly"
    NOTHING = "nothing"


class Certainty(StrEnum):
    """How sure the reader is of the number and what stands there."""

    VERIFIED = "verified"
    REPORTED = "reported"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Control:
    """One article or control. figures, questions: by name, what the report puts beside it."""

    id: str
    title: str
    standing: Standing
    certainty: Certainty
    shows: str
    lacks: str
    figures: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """A law or standard. as_of: the day on which it was read."""

    id: str
    title: str
    source: str
    as_of: str
    scope: str
    controls: tuple[Control, ...]


def names() -> list[str]:
    """All frameworks by id."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def named(name: str) -> Framework:
    """The framework of this id. Raises ConfigError."""
    if name not in names():
        raise ConfigError(f"There is no framework {name[:40]!r}.{unknown(name, names())}")
    (document,) = load(FOLDER / f"{name}.yaml")
    return read(document)


def read(document: Document) -> Framework:
    """What a file says. Raises ConfigError with file and line."""
    said = document.value
    wanted = {"apiVersion", "kind", "id", "title", "source", "asOf", "scope", "controls"}
    if not isinstance(said, dict) or set(said) != wanted or said["apiVersion"] != API_VERSION:
        raise document.error((), f"expected a framework of {API_VERSION} with {sorted(wanted)}.")
    controls = tuple(_control(document, i, each) for i, each in enumerate(said["controls"]))
    return Framework(
        said["id"], said["title"], said["source"], said["asOf"], said["scope"], controls
    )


def _control(document: Document, number: int, said: Any) -> Control:
    at = ("controls", number)
    if not isinstance(said, dict) or not set(_TEXTS) <= set(said) <= {
        *_TEXTS,
        "figures",
        "questions",
    }:
        raise document.error(at, f"expected a control with {', '.join(_TEXTS)}.")
    for word in _TEXTS:
        if not isinstance(said[word], str):
            raise document.error((*at, word), f"{word}: expected a text; put it in quotes.")
    known = {"figures": [each.name for each in FIGURES], "questions": list(questions.saved())}
    for word, all_of_them in known.items():
        for name in said.get(word, ()):
            if name not in all_of_them:
                raise document.error(
                    (*at, word), f"{word}: {name!r} is unknown.{unknown(name, all_of_them)}"
                )
    try:
        standing, certainty = Standing(said["log"]), Certainty(said["certainty"])
    except ValueError as err:
        raise document.error(at, f"{err}.") from err
    return Control(
        said["id"],
        said["title"],
        standing,
        certainty,
        said["shows"],
        said["lacks"],
        tuple(said.get("figures", ())),
        tuple(said.get("questions", ())),
    )
