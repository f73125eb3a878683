"""Dialects and backends, as protocols: how the house speaks with clients and with models.

A dialect reads and writes one API; a backend reaches one upstream that speaks it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from gateway.core.calls import Call, Outgoing
from gateway.core.judgement import Refusal, Route
from gateway.core.message import Direction, Edit, Fragment, Frame, Message


@dataclass(frozen=True, slots=True)
class Place:
    """One field of an API. fate: "judged", "opaque" or "not judged".

    path: as in a Part, with "*" for any index or name. why: of the fate: what kind of text it
    is, what medium, or for what reason it is not judged.
    """

    direction: Direction
    path: str
    fate: str
    why: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer of our own making."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Reader(Protocol):
    """Reads one answer, in pieces of any size, into frames. Holds what is not yet whole.

    A unary answer is one frame, complete when the upstream ends. streamed: whether the
    client gets events. failed: whether the upstream said in mid-stream that it failed.
    ping: an event that says nothing, sent while a client waits long; empty if there is none.
    kept: ids met in the answer under which the upstream keeps something, by which it can be
    asked for later (`Message.asks`). Its owner is noted before they leave; whoever notes it
    empties the list.
    """

    model: str
    usage: Mapping[str, int]
    streamed: bool
    failed: bool
    ping: bytes
    kept: list[str]

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by `data`. Raises UpstreamError if it cannot be the dialect's answer."""

    def flush(self) -> list[Frame]:
        """What is left when the upstream has ended."""

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The frame's bytes with edits made, by path; its raw bytes if there are none."""

    def group(self, path: str) -> str:
        """Which of several choices a whole text at this path belongs to; empty for the only one."""

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """One more event like `frame` that adds only `text` to the fragment's lane."""

    def sent(self, frame: Frame) -> None:
        """This frame has left: what `stop` says must go on from there."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """The last words of a stream that is stopped in the middle.

        ended: the choices whose end the client has been told; ALL if that of all.
        """

    def broken(self, error: str, exchange_id: str) -> bytes:
        """The last words of a stream whose upstream broke off."""

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """What stands in for a whole answer that may not be given."""


class Dialect(Protocol):
    """One API's wire format. Knows nothing of detectors, policies or HTTP servers.

    paths: what it serves: the path by which policies and the record call it, then other
    spellings. Lower case; "POST" unless another method stands before it; "{name}" stands for
    one step of a path, "{name...}" for all that follow. media: content types it reads.
    id_header: the response header in which its clients look for a request's id.
    wire: the name of the dialect whose bodies it shares; empty if they are its own.
    beside: which of its token counts are not contained in that of what they are a part of
    (`core.prices`). spends: whether the tokens that an answer counts were used for this request.
    """

    name: str
    wire: str
    operation: str
    paths: Sequence[str]
    media: Sequence[str]
    id_header: str
    beside: Collection[str]
    spends: bool

    def read(self, call: Call) -> Message:
        """A request as parts. Raises Unreadable."""

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The body as the upstream is to get it: edits made, by path, under its model name.

        The same bytes if there is nothing to change.
        """

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for the answer with this head."""

    def names(self) -> frozenset[str]:
        """The names of all fields in the manifest: the API's own words, not a caller's."""

    def manifest(self) -> Sequence[Place]:
        """Every place of its requests and answers that is known, and what becomes of it."""

    def bodies(self, direction: Direction) -> Mapping[str, Mapping[str, Any]]:
        """Content types of its requests or answers, and what is true of every such body.

        That is a JSON Schema (2020-12). An answer may have another type if its upstream says so.
        """

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer, one that no SDK sends again."""


class Speech(Protocol):
    """All that the upstream says in one session, told apart by turns.

    A turn stands or falls as one: a response, a transcript, or an event by itself. Events are
    JSON texts; where several are given back as one, each ends with `MESSAGE_END`.
    """

    model: str

    def turn(self, data: bytes) -> str | None:
        """The name of the turn an event belongs to; empty for one that stands by itself.

        None for one that answers what `cancel` said, and is not for the client. Raises
        UpstreamError for what is no event.
        """

    def reader(self, turn: str) -> Reader:
        """A reader for the events of a turn that begins. `streamed`: whether it is a response.

        A turn is over with the frame that closes ALL.
        """

    def cancel(self, turn: str) -> bytes:
        """What tells the upstream to stop this turn; empty if nothing can."""


# Cannot stand in JSON, and is what RFC 7464 puts between JSON texts.
MESSAGE_END = b"\x1e"


@runtime_checkable
class SessionDialect(Dialect, Protocol):
    """A dialect spoken over a WebSocket: `read` also reads each event of the client's.

    Its request is a GET without a body; an event is a call with one.
    """

    def speech(self) -> Speech:
        """For the events of one session's upstream."""

    def complain(self, refusal: Refusal, exchange_id: str, event: bytes) -> bytes:
        """The event that tells a client why its own did not go on."""

    def broken(self, error: str, exchange_id: str) -> bytes:
        """The last event of a session whose upstream broke off."""


def _unknown() -> bool:
    return False


@dataclass(slots=True)
class Answer:
    """What the upstream says: its head, then its body in pieces.

    The caller must `aclose` it, which also cancels the upstream call if it is not over.
    exhausted: whether the last piece of the body that was read is known to be the last there is,
    so that its end can be judged with it.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]
    exhausted: Callable[[], bool] = field(default=_unknown, kw_only=True)


@dataclass(slots=True)
class Socket(Answer):
    """An answer that goes on while it is being asked: a WebSocket the upstream has opened.

    status: 101. body: its messages, until it closes; may raise UpstreamError. send: one more
    text message to it. Raises UpstreamError. code: with which it closed; 0 while it is open.
    """

    send: Callable[[bytes], Awaitable[None]]
    code: Callable[[], int]


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What a backend kind is built from: one upstream.

    credential: the upstream's own secret; never shown. settings: what only one kind knows, never
    shown either, for some of it may be secret.
    """

    url: str = ""
    credential: str = field(default="", repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_s: float = 5.0
    first_byte_s: float = 300.0
    between_bytes_s: float = 120.0
    total_s: float = 1_800.0


class Backend(Protocol):
    """Where a request goes on to."""

    def speaks(self, dialect: str) -> bool:
        """Whether it takes this dialect's requests as they are."""

    async def send(self, call: Outgoing) -> Answer:
        """Send it. Raises UpstreamError before the head has arrived; CircuitOpen if nothing
        was sent. The body iterator may raise it later."""

    async def aclose(self) -> None:
        """Give back connections."""


@runtime_checkable
class SocketBackend(Backend, Protocol):
    """A backend that can open WebSockets. Not every kind can."""

    async def connect(self, call: Outgoing) -> Answer:
        """Open one: a Socket, or the answer of an upstream that does not. Raises as `send`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backend that could answer a request, and the route it would take.

    retries: how often a call that failed may be made again. total_s: how long all of that
    may take until a head has come.
    """

    route: Route
    backend: Backend
    retries: int = 0
    total_s: float = 1_800.0
