"""Reading JSON messages by what their fields are for.

A dialect declares the fields it knows. What it does not declare is text all the same: a
field that a vendor adds tomorrow is judged, not passed by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.embedded import BASE64, DATA_URL, data_text, decoded, is_text
from gateway.core.message import Kind, Opaque, Part
from gateway.core.nested import nested_parts, texts
from gateway.core.splice import escape
from gateway.dialects._identifiers import PLAIN, could_be_a_key, is_plain

# Where a data URL is what it says. In a text that somebody wrote it is part of the text.
MEDIA_PLACE = re.compile(r"ur[il]|data|file|image|audio|video|media|source", re.IGNORECASE)
_TOP_TYPES = frozenset(["application", "audio", "font", "image", "text", "video"])
# fmt: off
_SUBTYPES = frozenset([
    "*", "octet-stream", "pdf", "json", "zip", "xml", "plain", "csv", "html",
    "markdown", "png", "jpeg", "jpg", "gif", "webp", "svg+xml", "bmp", "tiff",
    "heic", "heif", "avif", "mpeg", "mp3", "mp4", "wav", "x-wav", "ogg",
    "opus", "flac", "aac", "webm", "quicktime",
])
# fmt: on

# What a provider encrypted or signed: base64, also for URLs. Numbers of somebody are none.
_MODEL = re.compile(r"(?!.*\d{9})[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}|", re.ASCII)
# What names and identifiers look like; anything else that has a form is no place for a key.
_NAMES = (PLAIN, _MODEL)
_TOKEN = re.compile(r"(?!.*@)(?!(?:\D*\d){5}).{0,24}", re.ASCII | re.DOTALL)
_CIPHER = re.compile(r"(?=[^A-Za-z]*[A-Za-z])(?!.*\d{12})[A-Za-z0-9+/_-]*={0,2}|", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """What a place in a message is for.

    kind: what its text is, for it and all below; None: as its parent.
    fields: what its known members are for. items: what its list items are for.
    plain: why a string here is not text (an identifier, an enumeration). One that looks like
    text all the same is judged. exempt: plain, and what it looks like does not matter.
    json: a string here is itself JSON, as tool arguments are.
    media: a string here is base64 or a data URL of this type: opaque, unless it is text.
    media_member: the member that names the type of the media beside it.
    role: whose text this is, for it and all below; empty: as its parent's.
    numbers: numbers here say something only to who knows their code, as a tokenizer's do:
    opaque, of this media type. Numbers elsewhere are no text.
    role_member: the member that names whose text this is.
    streamed: a string here is a piece of a longer text; None: as its parent.
    sealed: a signature covers this text (see `Part`).
    form: what a plain string looks like here; another is judged.
    tool: the member that names the tool which all in this object is an argument of.
    cases: what an object is for whose `case_member` says this word, or "true"; another is as
    said here.
    """

    kind: Kind | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    items: Field | None = None
    plain: str = ""
    exempt: bool = False
    json: bool = False
    media: str = ""
    media_member: str = ""
    role: str = ""
    numbers: str = ""
    role_member: str = ""
    streamed: bool | None = None
    sealed: bool = False
    form: re.Pattern[str] = PLAIN
    cases: Mapping[str, Field] = field(default_factory=dict)
    case_member: str = "type"
    tool: str = ""


TEXT = Field()


# What APIs call the speakers that policies know by one name.
_ROLES = {"model": "assistant"}
# Base64 holds none of these; a text of any length soon does.
_NOT_BASE64 = (" ", "@", ".", ",", ":")

_NESTING = (dict, list)

# What a number is counted as, for a size that can be compared with that of other media.
_NUMBER_BYTES = 4


def plain(reason: str) -> Field:
    """A field whose strings are not text, and why."""
    return Field(plain=reason)


def cipher(reason: str) -> Field:
    """A field whose strings only the API can read or has signed, and why they pass."""
    return Field(plain=reason, form=_CIPHER)


def model_name(reason: str) -> Field:
    """A field that names a model, as its makers do: with slashes, colons and versions."""
    return Field(plain=reason, form=_MODEL)


def tokens(reason: str) -> Field:
    """A field of a text's pieces, each too short to tell anything, and what becomes of them."""
    return Field(plain=reason, form=_TOKEN)


def exempt(reason: str) -> Field:
    """A string that is dealt with elsewhere, so that it is not judged here, and why."""
    return Field(plain=reason, exempt=True)


# Each part costs some tens of microseconds on the event loop, however short it is.
MAX_PARTS = 10_000
MAX_PATH_CHARS = 4_096


@dataclass(slots=True)
class Found:
    """What reading found so far. pieces: of texts that are streamed; streamed: inside of such."""

    parts: list[Part] = field(default_factory=list)
    opaque: list[Opaque] = field(default_factory=list)
    pieces: list[Part] = field(default_factory=list)
    streamed: bool = False

    def add(self, part: Part) -> None:
        """One more text. Raises before their number or their paths fill the memory."""
        if len(part.path) > MAX_PATH_CHARS:
            raise NameTooLong
        if len(self.parts) > MAX_PARTS:
            raise _Enough
        self.parts.append(part)


class NameTooLong(RecursionError):
    """Longer than anyone writes; like nesting without end, a body for no one to read."""


class _Enough(Exception):
    """One text more than `MAX_PARTS` was found: whoever reads says so to its caller."""


def read(value: Any, spec: Field, found: Found, *, role: str = "", path: str = "") -> None:
    """Collect the parts and opaque content of a JSON value: at most one more than `MAX_PARTS`."""
    with suppress(_Enough):
        _read(value, spec, found, role, spec.kind or Kind.METADATA, path)


def _read(value: Any, spec: Field, found: Found, role: str, kind: Kind, path: str) -> None:
    if spec.streamed is not None and spec.streamed is not found.streamed:
        found.streamed = spec.streamed
        _read(value, spec, found, role, kind, path)
        found.streamed = not spec.streamed
        return
    kind, role = spec.kind or kind, spec.role or role
    if isinstance(value, str):
        if not _silent(value, spec):
            _string(value, spec, found, role, kind, path)
    elif isinstance(value, dict):
        case = spec.cases.get(_case_of(value, spec.case_member)) if spec.cases else None
        if case is not None:
            _read(value, case, found, role, kind, path)
        elif spec.tool:
            _arguments(value, spec, found, role, kind, path)
        else:
            _members(value, spec, found, role, kind, path)
    elif isinstance(value, list):
        if spec.numbers:
            _numbers(value, spec, found, path)
        items = spec.items or spec
        for i, item in enumerate(value):
            _read(item, items, found, role, kind, f"{path}/{i}")


def _numbers(value: list[Any], spec: Field, found: Found, path: str) -> None:
    count = sum(isinstance(item, int | float) for item in value)
    if count:
        found.opaque.append(Opaque(path, spec.numbers, count * _NUMBER_BYTES))


def _members(
    value: dict[str, Any], spec: Field, found: Found, role: str, kind: Kind, path: str
) -> None:
    named = value.get(spec.role_member) if spec.role_member else None
    if isinstance(named, str):
        role = _ROLES.get(named, named)
        kind = Kind.TOOL_RESULT if role in ("tool", "function") else kind
    media = value.get(spec.media_member) if spec.media_member else None
    for key, item in value.items():
        known = spec.fields.get(key)
        if known is not None:
            # Most members are such: there is nothing to say where they stand.
            if _silent(item, known):
                continue
            if known.media and isinstance(media, str):
                known = replace(known, media=media)
            _read(item, known, found, role, kind, f"{path}/{key}")
        elif not spec.plain:
            _unknown(key, item, found, role, kind, path)
        else:
            at = f"{path}/{escape(key)}"
            if not is_plain(key) or could_be_a_key(key):
                found.add(Part(f"{at}~", key, role, kind))
            _read(item, spec, found, role, kind, at)


def _arguments(
    value: dict[str, Any], spec: Field, found: Found, role: str, kind: Kind, path: str
) -> None:
    """Read a call of a tool, so that each of its texts tells whose argument it is."""
    parts, pieces = len(found.parts), len(found.pieces)
    _members(value, spec, found, role, kind, path)
    named = value.get(spec.tool)
    if isinstance(named, str):
        found.parts[parts:] = of_tool(found.parts[parts:], named)
        found.pieces[pieces:] = of_tool(found.pieces[pieces:], named)


def of_tool(parts: Sequence[Part], tool: str) -> list[Part]:
    """The same, but those that are arguments, and do not say of which tool, are of this one."""
    return [
        replace(part, tool=tool) if part.kind is Kind.TOOL_ARGUMENTS and not part.tool else part
        for part in parts
    ]


def _silent(value: Any, spec: Field) -> bool:
    """Whether a value holds nothing to be judged, and no more values."""
    if isinstance(value, str):
        return not value or (bool(spec.plain) and _passes(value, spec))
    return not isinstance(value, _NESTING)


def _passes(value: str, spec: Field) -> bool:
    """Whether a string is what it should be and no text."""
    if spec.exempt:
        return True
    fits = spec.form.fullmatch(value) is not None
    return fits and not (spec.form in _NAMES and could_be_a_key(value))


def _case_of(value: dict[str, Any], member: str) -> str:
    named = value.get(member)
    return named if isinstance(named, str) else "true" if named is True else ""


def _string(value: str, spec: Field, found: Found, role: str, kind: Kind, path: str) -> None:
    inner = None if found.streamed else _inner(value, spec)
    data_url = None
    if value[:5].lower() == "data:" and MEDIA_PLACE.search(path.rpartition("/")[2]):
        data_url = DATA_URL.match(value)
    start = data_url.end() if data_url else 0
    if inner:
        found.add(Part(f"{path}!{BASE64}", inner, role, kind, spec.sealed))
    elif (data_url or spec.media) and not _holds_text(value, start):
        media = (data_url.group(1) if data_url else "") or spec.media or "text/plain"
        size = (len(value) - start) * 3 // 4
        found.opaque.append(Opaque(path, media_type(media.lower()), size))
    elif found.streamed:
        found.pieces.append(Part(path, value, role, kind, spec.sealed))
    elif spec.json:
        found.parts += nested_parts(path, value, role=role, kind=kind)
    else:
        found.add(Part(path, value, role, kind, spec.sealed))


def _inner(value: str, spec: Field) -> str | None:
    """The text that a string is the base64 of: in a data URL, or where a member says so."""
    if value[:5].lower() == "data:":
        return data_text(value)
    return decoded(value) if spec.media and is_text(spec.media) else None


def _holds_text(value: str, start: int) -> bool:
    """Whether what should be base64 is not."""
    return any(value.find(mark, start) >= 0 for mark in _NOT_BASE64)


def media_type(named: str) -> str:
    """A media type that says what a content is, and no words of its sender's."""
    top, _, sub = named.partition("/")
    if top not in _TOP_TYPES:
        return "application/octet-stream"
    return named if sub in _SUBTYPES else f"{top}/*"


def _unknown(key: str, item: Any, found: Found, role: str, kind: Kind, path: str) -> None:
    if kind is Kind.TEXT:
        kind = Kind.METADATA
    at = f"{path}/{escape(key)}"
    if key:
        found.add(Part(f"{at}~", key, role, kind))
    if isinstance(item, str):
        if item:
            _string(item, TEXT, found, role, kind, at)
    elif isinstance(item, dict | list):
        for inner, text in texts(item, at):
            if inner.endswith("~"):
                found.add(Part(inner, text, role, kind))
            else:
                _string(text, TEXT, found, role, kind, inner)
