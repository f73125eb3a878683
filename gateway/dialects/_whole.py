"""An answer that comes as one body."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from gateway.core.apis import Reply
from gateway.core.errors import UpstreamError
from gateway.core.jsontext import names_twice
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Part
from gateway.core.splice import apply, splice_json
from gateway.dialects._fields import MAX_PARTS, Field, Found, read

_BOM = b"\xef\xbb\xbf"
MAX_BYTES = 64 * 1024 * 1024


class WholeReader:
    """Collects a body and reads it as one frame.

    spec: what its fields are for. usage_of: token counts in a parsed body. withheld: what
    stands in for it when it may not be given. drop: paths to be nulled when `path` is edited.
    group: as `Reader.group`. model_member: which of a body's members names its model. kept_of:
    the ids in it under which the upstream keeps something.
    """

    streamed = False
    ping = b""

    def __init__(
        self,
        spec: Field,
        *,
        usage_of: Callable[[Any], dict[str, int]],
        withheld: Callable[[Any, Refusal, str], Reply],
        drop: Callable[[str], str] = lambda path: "",
        group: Callable[[str], str] = lambda path: "",
        model_member: str = "model",
        kept_of: Callable[[Any], Sequence[str]] = lambda value: (),
    ) -> None:
        self.model = ""
        self.usage: Mapping[str, int] = {}
        self.failed = False
        self.kept: list[str] = []
        self._spec = spec
        self._usage_of = usage_of
        self._withheld = withheld
        self._drop = drop
        self._group = group
        self._model_member = model_member
        self._kept_of = kept_of
        self.value: Any = None
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Nothing yet: half a JSON body cannot be judged."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise UpstreamError(f"the upstream's answer is larger than {MAX_BYTES} bytes")
        return []

    def flush(self) -> list[Frame]:
        """The body as one frame. Raises UpstreamError if it is neither JSON nor text."""
        body = self.taken()
        if not body:
            return [Frame(b"", closes=(ALL,))]
        start = len(_BOM) if body.startswith(_BOM) else 0
        found = Found()
        try:
            self.value = decode(body[start:])
        except ValueError as err:
            if looks_like_json(body[start:]):
                raise UpstreamError("the upstream's answer is no JSON") from err
            return [text_frame(body, (0, len(body)))]
        except RecursionError as err:
            raise UpstreamError("the upstream's answer is nested too deeply") from err
        try:
            read(self.value, self._spec, found)
            if len(found.parts) > MAX_PARTS:
                raise UpstreamError(f"the upstream's answer holds more than {MAX_PARTS} texts")
        except RecursionError as err:
            raise UpstreamError("the upstream's answer is nested too deeply") from err
        if isinstance(self.value, dict):
            self.usage = self._usage_of(self.value)
            model = self.value.get(self._model_member)
            self.model = model if isinstance(model, str) else ""
            self.kept += self._kept_of(self.value)
        return [
            Frame(
                body,
                (start, len(body)),
                parts=tuple(found.parts),
                opaque=tuple(found.opaque),
                closes=(ALL,),
            )
        ]

    def taken(self) -> bytes:
        """The whole body; the reader lets go of it."""
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The body with edits made."""
        return rewrite(frame, edits, self._drop)

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """Never asked: a whole body has no events."""
        raise ValueError("a whole answer has no events to add to")

    def group(self, path: str) -> str:
        """Which of several choices a whole text at this path belongs to."""
        return self._group(path)

    def sent(self, frame: Frame) -> None:
        """Nothing follows."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Never needed: a whole body is released at once or not at all."""
        return b""

    def broken(self, error: str, exchange_id: str) -> bytes:
        """Never needed, as for `stop`."""
        return b""

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """What is given instead of the body."""
        return self._withheld(self.value, refusal, exchange_id)


def decode(body: bytes) -> Any:
    """The value of an upstream's JSON. Raises ValueError if it is not JSON.

    What only some parsers take (NaN, half a surrogate pair) is read as they read it, so
    that what such a client sees is what was judged. A name that stands twice in an object is
    an error: parsers differ in which of the two they see.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _encodable(json.loads(body.decode("utf-8")))
    if names_twice(body, value):
        raise ValueError("an object names a member twice")
    return value


def _encodable(value: Any) -> Any:
    """The same with a question mark for each half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(k): _encodable(v) for k, v in value.items()}
    return [_encodable(v) for v in value] if isinstance(value, list) else value


def looks_like_json(body: bytes) -> bool:
    """Whether some client may read this as JSON or as events, so that it is not plain text."""
    start = body.lstrip()[:6]
    return start.startswith((b"{", b"[", b'"', b"data:", b"event:"))


def text_frame(raw: bytes, body: tuple[int, int]) -> Frame:
    """A frame whose body is text and not JSON, such as a proxy's error page.

    Raises UpstreamError if it is not UTF-8: what cannot be read cannot be judged.
    """
    try:
        text = raw[body[0] : body[1]].decode("utf-8")
    except UnicodeDecodeError as err:
        raise UpstreamError("the upstream's answer is neither JSON nor UTF-8 text") from err
    if "\x00" in text:
        raise UpstreamError("the upstream's answer is not UTF-8 text")
    parts = (Part("", text, "", Kind.ERROR),) if text.strip() else ()
    return Frame(raw, body, parts=parts)


def rewrite(
    frame: Frame,
    edits: Mapping[str, Sequence[Edit]],
    drop: Callable[[str], str] = lambda path: "",
) -> bytes:
    """A frame's bytes with edits made in its body."""
    if not edits:
        return frame.raw
    start, end = frame.body
    body = frame.raw[start:end]
    if "" in edits:
        new = apply(body.decode("utf-8"), edits[""]).encode("utf-8")
    else:
        nulls = {drop(path) for path in edits} - {""}
        kept = {path: new for path, new in edits.items() if not _within(path, nulls)}
        try:
            new = splice_json(body, kept, nulls=nulls)
        except KeyError as err:
            raise UpstreamError("the upstream's answer names the same key twice") from err
    return frame.raw[:start] + new + frame.raw[end:]


def _within(path: str, gone: Collection[str]) -> bool:
    """Whether what stands at this path goes with something above it."""
    return any(path.startswith(f"{one}/") for one in gone)
