"""Any JSON API of an upstream, under `/pass/{upstream}/{path}`, for what has no dialect.

Which paths are let through stands in the catalogue, upstream by upstream. Nothing is known of
such an API, so every string is judged, but for what is written like an identifier under a
name that APIs use for identifiers. In streams each string may be a piece of a longer text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse
from gateway.core.judgement import Refusal, Route
from gateway.core.message import Direction, Edit, Fragment, Frame, Kind, Lane, Message, Part
from gateway.core.splice import apply, splice_json
from gateway.dialects._api import JsonApi, fixed, query_of, step
from gateway.dialects._fields import MAX_PARTS, Field, Found, model_name, plain, read
from gateway.dialects._identifiers import is_plain
from gateway.dialects._openai import error_body, error_reply, usage
from gateway.dialects._sse import Event, Events
from gateway.dialects._stream import EventStream
from gateway.dialects._whole import WholeReader

_WORD = plain("an identifier or one of the API's own words")
_COMMON: dict[str, Field] = {
    **dict.fromkeys(["id", "object", "type", "role", "status", "finish_reason"], _WORD),
    **dict.fromkeys(["stop_reason", "stopReason", "finishReason", "event"], _WORD),
    "model": model_name("the name of a model"),
    "usage": plain("token counts"),
}
_REQUEST = Field(kind=Kind.TEXT, fields={"model": plain("the name of a model")})
_ANSWER = Field(kind=Kind.TEXT, fields=_COMMON)
_EVENTS = Field(kind=Kind.TEXT, fields=_COMMON, streamed=True)
_METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")


class Member(JsonApi):
    """The dialect that knows no API."""

    name = "passthrough"
    operation = "pass"
    media = ("application/json", "text/plain")
    paths = tuple(f"{method} /pass/{{upstream}}/{{path...}}" for method in _METHODS)
    request = _REQUEST
    answer = _ANSWER
    events = _EVENTS

    def read(self, call: Call) -> Message:
        """A request: any JSON value, a plain text, or no body. Raises Unreadable."""
        found = Found()
        plain_text = call.content_type.lower().startswith("text/plain")
        value = _text(call.body) if plain_text else parse(call.body) if call.body else None
        read(value, _REQUEST, found)
        if len(found.parts) > MAX_PARTS:
            raise Unreadable(f"The body holds more than {MAX_PARTS} separate texts.")
        return Message(
            call.body,
            (*found.parts, *fixed(self.outside(call))),
            tuple(found.opaque),
            stream=isinstance(value, dict) and value.get("stream") is True,
            path=_path(call) + query_of(call),
            method=call.method,
            content_type="text/plain; charset=utf-8" if plain_text else "application/json",
            upstream=step(call, "upstream"),
        )

    def outside(self, call: Call) -> Iterable[str]:
        """Also the steps of the path."""
        return [*super().outside(call), *call.params.get("path", "").split("/")]

    def bodies(self, direction: Direction) -> Mapping[str, Mapping[str, Any]]:
        """Anything: nothing is known of such an API."""
        kinds = self.media if direction is Direction.REQUEST else ("application/json", "*/*")
        return {kind: {"type": "string"} if kind == "text/plain" else {} for kind in kinds}

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The body with edits made."""
        if message.content_type.startswith("text/"):
            return apply(message.body.decode("utf-8"), edits.get("", ())).encode("utf-8")
        return splice_json(message.body, edits)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for events or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return _Stream()
        return WholeReader(_ANSWER, usage_of=usage, withheld=_withheld)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal in the shape that most APIs share: `error` with a message."""
        return error_reply(refusal, exchange_id)


class _Stream(EventStream):
    """Events of which nothing is known: a text goes on where the last one at its place ended."""

    ping = b": ping\n\n"

    def __init__(self) -> None:
        super().__init__(Events())

    def spec(self, event: Event, value: Any) -> Field:
        """The same for all."""
        return _EVENTS

    def lane(self, value: Any, piece: Part) -> Lane:
        """One text a place; events with other numbers or of another type are other places."""
        return Lane(0, _signature(value) + piece.path, 0, piece.kind)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """An unknown API has no event for our own words."""
        return b""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """An error event, which most clients raise."""
        return _event(error_body(refusal, exchange_id))

    def broken(self, error: str, exchange_id: str) -> bytes:
        """The same."""
        return _event(error_body(Refusal("upstream_error", error, 502), exchange_id))

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """Nothing was sent yet, so a plain error says it best."""
        return error_reply(refusal, exchange_id)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Unreadable(f"The body is not UTF-8 (byte {err.start}).") from err


def _path(call: Call) -> str:
    """The path behind the upstream's name; like everything that is not judged, plain words only."""
    steps = call.params.get("path", "").split("/")
    if not all(one and is_plain(one) and one.strip(".") for one in steps):
        raise Unreadable("The path holds more than identifiers, and paths are not judged.")
    return "/" + "/".join(quote(one, safe=":") for one in steps)


def _signature(value: Any) -> str:
    """What tells one series of events from another: their type and their numbers."""
    if not isinstance(value, Mapping):
        return ""
    kind = value.get("type")
    numbers = [f"{k}={v}" for k, v in value.items() if isinstance(v, int) and "ind" in k]
    return "&".join([kind if isinstance(kind, str) and is_plain(kind) else "", *numbers])


def _withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    return error_reply(refusal, exchange_id)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
