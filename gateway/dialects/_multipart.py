"""Forms with files (RFC 7578), read so that every byte no edit touches stays as it was.

Only the plain form that clients write is read: what two parsers could take apart in two ways
(text before the first boundary, a name given twice, other headers) is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.core.errors import Unreadable
from gateway.core.message import Edit
from gateway.core.splice import apply, escape, json_edits

MEDIA = "multipart/form-data"
FILENAME = "filename"
MAX_SECTIONS = 1_000
# Of what RFC 2046, section 5.1.1, allows, what clients use: a boundary cannot be edited.
_TYPE = re.compile(
    r"multipart/form-data[ \t]*;[ \t]*boundary=(\"?)([\w'+.-]{1,70})\1[ \t]*",
    re.IGNORECASE | re.ASCII,
)
# Browsers and SDKs write a quote or a line break in a name as %22, %0A, %0D (HTML, 4.10.21.8).
_QUOTED = rb'"([^"\\\x00-\x1f\x7f]*)"'
_DISPOSITION = re.compile(rb"form-data; *name=%b(?:; *filename=%b)?" % (_QUOTED, _QUOTED))
_MEDIA_TYPE = re.compile(rb"([\w.+-]{1,64}/[\w.+-]{1,64})(?:; ?charset=[\w-]{1,20})?")
_HEADER = re.compile(rb"([A-Za-z-]{1,40}):[ \t]*([^\r\n]*?)[ \t]*(?:\r\n|$)")


class Span(NamedTuple):
    """A stretch [start, end) of a body, and the text there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One field of a form.

    filename: None if it is a value and not a file. An empty name is none: Go's mime/multipart
    reads such a field as a value, other parsers as a file. media_type: as it says, in small
    letters; empty if it says nothing. start, end: where its content stands in the body.
    """

    name: Span
    filename: Span | None
    media_type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was read."""

    body: bytes
    boundary: str
    sections: tuple[Section, ...]

    def content(self, section: Section) -> bytes:
        """The bytes of a section."""
        return self.body[section.start : section.end]

    def text(self, section: Section) -> str:
        """A section's content as text. Raises Unreadable if it is none."""
        text = _decoded(self.content(section))
        if "\x00" in text:
            raise Unreadable("A field of the form holds a zero byte.")
        return text

    def values(self) -> dict[str, Any]:
        """What is not a file, by name. Names that end in [] hold lists.

        Raises Unreadable if another name stands twice, or a value is not UTF-8 text.
        """
        found: dict[str, Any] = {}
        for section in self.sections:
            name = section.name.text
            if section.filename is not None:
                continue
            if name.endswith("[]"):
                found.setdefault(name, []).append(self.text(section))
            elif name in found:
                raise Unreadable("The form names the same field twice.")
            else:
                found[name] = self.text(section)
        return found

    def paths(self) -> Iterator[tuple[str, Section]]:
        """The path of each section. Those whose name ends in [] are numbered, and so are files."""
        counts: Counter[tuple[str, bool]] = Counter()
        for section in self.sections:
            name, is_file = section.name.text, section.filename is not None
            number = counts[name, is_file]
            counts[name, is_file] += 1
            numbered = is_file or name.endswith("[]")
            yield f"/{escape(name)}/{number}" if numbered else f"/{escape(name)}", section

    def edited(self, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The body with edits made, by path: in a value, a name ("~") or a file's name.

        Raises KeyError if a path is not there; Unreadable if an edit would move a boundary.
        """
        if not edits:
            return self.body
        wanted = _by_place(edits)
        out: list[bytes] = []
        done = 0
        for start, end, new in sorted(self._changes(wanted)):
            out += (self.body[done:start], new.encode())
            done = end
        if not all(place.used for place in wanted.values()):
            raise KeyError("an edited path is not in the form")
        body = b"".join((*out, self.body[done:]))
        again = parse(body, f'{MEDIA}; boundary="{self.boundary}"')
        if len(again.sections) != len(self.sections):
            raise Unreadable("A boundary of the form stands in its text.")
        return body

    def with_value(self, name: str, value: str) -> bytes:
        """The form with one more value in front."""
        head = f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        return f"{head}{value}\r\n".encode() + self.body

    def _changes(self, wanted: Mapping[str, _Place]) -> Iterator[Span]:
        for path, section in self.paths():
            place = wanted.get(path)
            if place is not None:
                yield Span(section.start, section.end, place.applied(self.text(section)))
            place = wanted.get(f"/{escape(section.name.text)}~")
            if place is not None:
                yield section.name._replace(text=_quoted(place.applied(section.name.text)))
            place = wanted.get(f"{path}/{FILENAME}")
            if place is not None and section.filename is not None:
                yield section.filename._replace(text=_quoted(place.applied(section.filename.text)))


@dataclass(slots=True)
class _Place:
    """The edits of one text: its own, and those of what stands in it as JSON."""

    own: list[Edit] = field(default_factory=list)
    inner: dict[str, Sequence[Edit]] = field(default_factory=dict)
    used: bool = False

    def applied(self, text: str) -> str:
        self.used = True
        nested = json_edits(text, self.inner) if self.inner else []
        return apply(text, self.own + nested)


def parse(body: bytes, content_type: str) -> Form:
    """A form. Raises Unreadable unless it has exactly the form that clients write."""
    match = _TYPE.fullmatch(content_type)
    if match is None:
        raise Unreadable("The Content-Type must be multipart/form-data with a boundary.")
    boundary = match[2]
    sections: list[Section] = []
    for start, end in _stretches(body, boundary.encode()):
        if len(sections) >= MAX_SECTIONS:
            raise Unreadable(f"The form has more than {MAX_SECTIONS} fields.")
        sections.append(_section(body, start, end))
    return Form(body, boundary, tuple(sections))


def _stretches(body: bytes, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where sections stand, headers and all, between the boundaries."""
    mark = b"\r\n--" + boundary
    if not body.startswith(mark[2:]):
        raise Unreadable("The form must begin with its boundary.")
    at = len(mark) - 2
    while not body.startswith(b"--", at):
        if not body.startswith(b"\r\n", at):
            raise Unreadable("A line break must follow each boundary of the form.")
        end = body.find(mark, at + 2)
        if end < 0:
            raise Unreadable("The form's last boundary is missing.")
        yield at + 2, end
        at = end + len(mark)
    if body[at + 2 :] not in (b"", b"\r\n"):
        raise Unreadable("Nothing may follow the form's last boundary.")


def _section(body: bytes, start: int, end: int) -> Section:
    blank = body.find(b"\r\n\r\n", start, end)
    if blank < 0:
        raise Unreadable("A field of the form has no blank line behind its headers.")
    headers = _headers(body, start, blank)
    told = headers.pop(b"content-disposition", (0, 0))
    disposition = _DISPOSITION.fullmatch(body, *told)
    said = headers.pop(b"content-type", None)
    media = _MEDIA_TYPE.fullmatch(body, *said) if said else None
    if disposition is None or headers or bool(said) != bool(media):
        raise Unreadable(
            "Each field of the form needs a Content-Disposition of 'form-data' with a name in "
            "quotes, and may have a file name and a Content-Type; nothing else."
        )
    return Section(
        _span(disposition, 1),
        _span(disposition, 2) if disposition[2] else None,
        media[1].decode().lower() if media else "",
        blank + 4,
        end,
    )


def _headers(body: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Where the value of each header stands."""
    found: dict[bytes, tuple[int, int]] = {}
    while start < end:
        match = _HEADER.match(body, start, end)
        name = match[1].lower() if match else b""
        if match is None or name in found:
            raise Unreadable("A header of the form cannot be read, or stands twice.")
        found[name] = match.span(2)
        start = match.end()
    return found


def _span(match: re.Match[bytes], group: int) -> Span:
    return Span(*match.span(group), _decoded(match[group]))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Unreadable("A text in the form is not UTF-8.") from err


def _by_place(edits: Mapping[str, Sequence[Edit]]) -> dict[str, _Place]:
    found: dict[str, _Place] = {}
    for path, changes in edits.items():
        head, nested, inner = path.partition("!")
        place = found.setdefault(head, _Place())
        if nested:
            place.inner[inner] = changes
        else:
            place.own += changes
    return found


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
