"""What travels on the wire, seen as text: parts, lanes, edits.

A message body stays bytes. Parts say where its text is; edits say what changes;
every byte that no edit names stays as it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


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
    written "~2". "!base64" at the end: the text that the string holds in base64, behind the
    head of a data URL if it is one. A path that ends in "~" names the object key, not the
    value.
    text: the decoded text, without JSON escapes and base64.
    sealed: a signature covers it, so it stays as it is or is emptied, never edited.
    fixed: it stands outside of the body, as in a query, where nothing can be edited: what would
    change it stops the message. Its path begins with "?" and is only a name.
    tool: name of the tool that it is an argument of; empty if it is none, or that is not known.
    """

    path: str
    text: str
    role: str
    kind: Kind = Kind.TEXT
    sealed: bool = False
    fixed: bool = False
    tool: str = ""


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

    model: the model name the client asked for; empty if the operation has none.
    json_output: the caller will parse the answer (JSON mode, structured output).
    path: where the dialect's vendor serves it, with "{model}" in place of the model's name.
    states: what of the exchange is to be kept, or was kept earlier, at the upstream.
    upstream: the backend that is asked for by name; empty if the model decides.
    asks: ids of what an upstream keeps that this request reaches for. Whoever did not have
    them made is refused; without a model, it goes to where the first was made.
    socket: whether it asks for a WebSocket (RFC 6455), over which all else is said.
    service: what else than a model it needs of an upstream: "files", or "batches", which need
    files whose models are known. The catalogue says who has them; empty if the model decides.
    uncounted: its stream tells no tokens as it is asked for; where the route `counts`, it is
    asked for them, and the client is not told what it did not ask for.
    """

    body: bytes
    parts: tuple[Part, ...]
    opaque: tuple[Opaque, ...] = ()
    model: str = ""
    stream: bool = False
    json_output: bool = False
    path: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    states: tuple[str, ...] = ()
    upstream: str = ""
    asks: tuple[str, ...] = ()
    socket: bool = False
    service: str = ""
    uncounted: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """The key of one streamed text: choice 0, its content; choice 0, arguments of tool call 1.

    sealed: as for a Part. role: whose text it is. tool: as for a Part, as far as it is known by
    now; no part of the key. All lanes of one call have the same choice and index.
    """

    choice: int
    field: str
    index: int = 0
    kind: Kind = Kind.TEXT
    sealed: bool = False
    role: str = "assistant"
    tool: str = dataclasses.field(default="", compare=False)

    @property
    def held_whole(self) -> bool:
        """Half a JSON string cannot be edited safely, and a sealed text only as a whole."""
        return self.sealed or self.kind is Kind.TOOL_ARGUMENTS


class Fragment(NamedTuple):
    """The text one stream event adds to one lane, and where in the event it stands."""

    lane: Lane
    path: str
    text: str


ALL = -1


class Several(Protocol):
    """Events in a row that add to one text, and say nothing else."""

    @property
    def ends(self) -> Sequence[int]:
        """Where the text of each ends in that of all, ascending."""

    def frame(self, first: int, last: int) -> Frame:
        """One frame of the events [first, last)."""


class Frame(NamedTuple):
    """One event of a stream, or several of one kind that arrived in a row.

    raw: its bytes exactly as they arrived, separator included.
    body: the span [start, end) of the JSON text within raw; empty for comments.
    fragments: what it adds to lanes. parts: text that is not streamed in pieces.
    ends: single texts that end with this event, while their choice goes on.
    closes: the choices whose texts end with this event; ALL closes every one.
    note: what its reader wants to be reminded of when the frame has been sent.
    several: its events, if it holds more than one. Then raw is all of theirs, body that of the
    first, and what they add is one fragment.
    """

    raw: bytes
    body: tuple[int, int] = (0, 0)
    fragments: tuple[Fragment, ...] = ()
    parts: tuple[Part, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    closes: tuple[int, ...] = ()
    note: object = None
    ends: tuple[Lane, ...] = ()
    several: Several | None = None
