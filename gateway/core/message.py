"""What travels on the wire, seen as text: parts, lanes, edits.

A message body stays bytes. Parts say where its text is; edits say what changes;
every byte that no edit names stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Direction(StrEnum):
    """Which way a message travels: to the model, or back from it."""

    REQUEST = "request"
    RESPONSE = "response"


class Kind(StrEnum):
    """What a text is for; policies may tell kinds apart."""

    TEXT = "text"
    REASONING = "reasoning"
    REFUSAL = "refusal"
    TOOL_ARGUMENTS = "tool_arguments"
    TOOL_RESULT = "tool_result"
    TOOL_DEFINITION = "tool_definition"
    METADATA = "metadata"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of text in a message body.

    path: where it stands. A JSON Pointer (RFC 6901); for text inside a string that is
    itself JSON (tool arguments) the inner pointer follows after "!", so a "!" in a key is
    written "~2". A path that ends in "~" names the object key, not the value.
    text: the decoded text, without JSON escapes.
    """

    path: str
    text: str
    role: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Opaque:
    """Content that cannot be judged as text: an image, a sound, a file."""

    path: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters [start, end) of a text by `replacement`."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Message:
    """One whole body as its dialect read it.

    model: the model name the client asked for; empty in responses.
    json_output: the caller will parse the answer (JSON mode, structured output).
    """

    body: bytes
    parts: tuple[Part, ...]
    opaque: tuple[Opaque, ...] = ()
    model: str = ""
    stream: bool = False
    json_output: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """The key of one streamed text: choice 0, its content; choice 0, arguments of tool call 1."""

    choice: int
    field: str
    index: int = 0
    kind: Kind = Kind.TEXT

    @property
    def held_whole(self) -> bool:
        """Half a JSON string cannot be edited safely, so arguments wait for their end."""
        return self.kind is Kind.TOOL_ARGUMENTS


class Fragment(NamedTuple):
    """The text one stream event adds to one lane, and where in the event it stands."""

    lane: Lane
    path: str
    text: str


ALL = -1


class Frame(NamedTuple):
    """One event of a stream.

    raw: its bytes exactly as they arrived, separator included.
    body: the span [start, end) of the JSON text within raw; empty for comments.
    fragments: what it adds to lanes. parts: text that is not streamed in pieces.
    closes: the choices whose texts end with this event; ALL closes every one.
    """

    raw: bytes
    body: tuple[int, int] = (0, 0)
    fragments: tuple[Fragment, ...] = ()
    parts: tuple[Part, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    closes: tuple[int, ...] = ()
