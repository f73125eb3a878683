"""Labelled texts in JSON Lines: what a row may hold, and which schema a file follows.

A row's text never stands in an error: only the file, the line and what was expected.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

from gateway.core.errors import ConfigError

_GZIP = b"\x1f\x8b"


class Schema(StrEnum):
    """What the rows of a file are labelled with."""

    PERSONAL = "personal"
    SECRETS = "secrets"
    SAFETY = "safety"
    INJECTION = "injection"
    VERBATIM = "verbatim"
    BENIGN = "benign"
    PLAIN = "plain"


class Span(msgspec.Struct, frozen=True):
    """Characters [start, end) of a row's text, in code points, and what stands there."""

    start: int
    end: int
    type: str


class Row(msgspec.Struct, frozen=True):
    """One text and what is known of it. Keys that are not named here are not read.

    labels: by hazard; one that is not in it is not annotated. hard: harmless, but looks
    harmful. overlap_words: only for telling the schema.
    """

    text: str
    language: str | None = None
    source: str | None = None
    kind: str | None = None
    spans: tuple[Span, ...] | None = None
    label: Literal[0, 1] | None = None
    labels: dict[str, Literal[0, 1]] | None = None
    hard: bool = False
    overlap_words: int | None = None


class Work(msgspec.Struct, frozen=True):
    """A text that answers may reproduce, and what it is called, if it is called something."""

    text: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The rows of one file, in order."""

    name: str
    schema: Schema
    rows: Sequence[Row]


def read(path: Path, schema: Schema | None = None) -> Dataset:
    """All rows of a file, gzip or not. Raises ConfigError with the line.

    schema: what it is, where the rows do not say so.
    """
    decoder = msgspec.json.Decoder(Row)
    rows = []
    for number, line in _lines(path):
        try:
            row = decoder.decode(line)
        except msgspec.DecodeError as err:
            raise ConfigError(f"{path}:{number}: no row of a data set: {err}.") from err
        for span in row.spans or ():
            if not 0 <= span.start < span.end <= len(row.text):
                raise ConfigError(
                    f"{path}:{number}: a span must lie within the text's {len(row.text)} "
                    f"characters; found start {span.start}, end {span.end}."
                )
        rows.append(row)
    if not rows:
        raise ConfigError(f"{path}: holds no row; expected JSON Lines, one object a line.")
    return Dataset(path.name, schema or recognise(rows), rows)


def read_works(path: Path) -> list[Work]:
    """All works of a file, gzip or not. Raises ConfigError with the line."""
    decoder = msgspec.json.Decoder(Work)
    works = []
    for number, line in _lines(path):
        try:
            works.append(decoder.decode(line))
        except msgspec.DecodeError as err:
            raise ConfigError(f"{path}:{number}: no work: {err}.") from err
    if not works:
        raise ConfigError(f"{path}: holds no work; expected JSON Lines, one object a line.")
    return works


def recognise(rows: Sequence[Row]) -> Schema:
    """The schema of rows that belong together: some of them show what all of them are."""
    if any(row.labels is not None for row in rows):
        return Schema.SAFETY
    spans = any(row.spans is not None for row in rows)
    if any(row.label is not None for row in rows):
        if any(row.overlap_words is not None for row in rows):
            return Schema.VERBATIM
        decoys = any(row.kind == "decoy" for row in rows)
        return Schema.SECRETS if spans or decoys else Schema.INJECTION
    if spans:
        return Schema.PERSONAL
    sourced = any(row.source is not None or row.hard for row in rows)
    return Schema.BENIGN if sourced else Schema.PLAIN


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers from 1."""
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as err:
        reason = getattr(err, "strerror", None) or "it is no whole gzip file"
        raise ConfigError(f"{path}: cannot be read: {reason}.") from err
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            yield number, line
