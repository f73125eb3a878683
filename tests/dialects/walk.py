"""Every string that an SDK's types know, so that a test can ask what becomes of each."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel

from gateway.core.apis import Dialect
from gateway.core.message import Frame, Message

CANARY = "canary"
_WRAPPERS = (
    typing.Required, typing.NotRequired, typing.Annotated,
    typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.Annotated,
)  # fmt: skip
_UNIONS = (typing.Union, types.UnionType)


def strings(kind: Any, path: str = "", above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(path, a value of this type that holds the canary there) for each string in a type.

    Nothing else is in the value but the words by which a union tells its types apart. A type
    that holds itself is walked once.
    """
    origin, inside = get_origin(kind), get_args(kind)
    if origin in _WRAPPERS:
        yield from strings(inside[0], path, above)
    elif hasattr(kind, "__value__"):  # a named alias
        yield from strings(kind.__value__, path, above)
    elif origin in _UNIONS:
        for one in inside:
            yield from strings(one, path, above)
    elif kind is str or origin is typing.Literal or kind is object or kind is Any:
        yield path, CANARY
    elif members := _members(kind):
        if kind not in above:
            yield from _inside(members, path, (*above, kind))
    elif origin is dict or (origin and issubclass(origin, typing.Mapping)):
        for at, value in strings(inside[1], f"{path}/key", above):
            yield at, {"key": value}
    elif origin and issubclass(origin, typing.Iterable):
        for at, value in strings(inside[0], f"{path}/0", above):
            yield at, [value]


def heard(frames: Collection[Frame] | Message) -> bool:
    """Whether the canary was read as text, or as content that is not text."""
    read = [frames] if isinstance(frames, Message) else frames
    texts = [p.text for r in read for p in r.parts if not p.path.endswith("~")]
    texts += [x.text for r in read if isinstance(r, Frame) for x in r.fragments]
    return CANARY in texts or any(r.opaque for r in read)


def answered(dialect: Dialect, data: bytes, kind: str) -> list[Frame]:
    """The frames of one answer, or of one event of a stream."""
    reader = dialect.reader(Message(b"", ()), status=200, content_type=kind)
    return reader.feed(data) + reader.flush()


def _inside(
    members: Mapping[str, Any], path: str, above: tuple[Any, ...]
) -> Iterator[tuple[str, Any]]:
    word = _word(members.get("type"))
    for name, hint in members.items():
        for at, value in strings(hint, f"{path}/{name}", above):
            yield at, {"type": word, name: value} if word and name != "type" else {name: value}


def _word(hint: Any) -> str:
    """The one word that a `type` member can be; empty if it can be several."""
    while get_origin(hint) in _WRAPPERS:
        hint = get_args(hint)[0]
    words = get_args(hint) if get_origin(hint) is typing.Literal else ()
    return words[0] if len(words) == 1 else ""


def _members(kind: Any) -> dict[str, Any]:
    if typing_extensions.is_typeddict(kind):
        return typing_extensions.get_type_hints(kind, include_extras=True)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: info.annotation for name, info in kind.model_fields.items()}
    return {}
