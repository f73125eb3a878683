"""Reading a request strictly: what cannot be carried over is refused, never lost."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from gateway.backends._spokes._told import Delta, Told
from gateway.core.calls import Outgoing
from gateway.core.errors import Refused
from gateway.core.judgement import Refusal

EVENTS = "text/event-stream; charset=utf-8"
_WORD = re.compile(r"[A-Za-z_]{1,40}")
_TYPE = re.compile(r"[A-Za-z_]{1,32}[0-9_]{0,10}")


class Writer(Protocol):
    """Tells one answer as a stream. media: its content type."""

    @property
    def media(self) -> str:
        """As in the head of the answer."""

    def begin(self, told: Told) -> bytes:
        """What comes before the first piece."""

    def add(self, delta: Delta) -> bytes:
        """One more piece of text or reasoning."""

    def end(self, told: Told) -> bytes:
        """Tool calls, the reason of the end, and token counts."""


class Spoke(Protocol):
    """One client dialect."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion. Raises Refused for what has no counterpart."""

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """A whole answer to this request."""

    def writer(self, call: Outgoing) -> Writer:
        """For a streamed answer to this request."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """What its clients take for the vendor's own error."""


def untranslatable(what: str) -> Refused:
    """This request cannot go to a backend of another kind. what: begins a sentence."""
    return Refused(
        Refusal(
            "untranslatable",
            f"{what} cannot be translated for this model's backend, which speaks another API.",
        )
    )


def body_of(call: Outgoing) -> dict[str, Any]:
    """The request's JSON object."""
    value = json.loads(call.body)
    if not isinstance(value, dict):
        raise untranslatable("A body that is not an object")
    return value


def only(value: Any, known: Collection[str], where: str) -> dict[str, Any]:
    """The members of an object that are not null. Raises Refused for one that is not known."""
    if not isinstance(value, Mapping):
        raise untranslatable(f"A value of {where} that is not an object")
    found = {key: member for key, member in value.items() if member is not None}
    for key in found:
        if key not in known:
            name = f"'{key}'" if _WORD.fullmatch(key) else "An unknown member"
            raise untranslatable(f"{name} in {where}")
    return found


def usual(value: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    """Raises Refused for a member that says something but its usual value."""
    for key, expected in known.items():
        if value.get(key, expected) != expected:
            raise untranslatable(f"'{key}' in {where}")


def typed(value: Any, where: str) -> str:
    """The type of a part, as far as it may be told back."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    return kind if isinstance(kind, str) else "" if kind is None else where


def unknown(kind: str, where: str) -> Refused:
    """For a part or tool of a type that has no counterpart."""
    name = f"'{kind}'" if _TYPE.fullmatch(kind) else "a type that is not known"
    return untranslatable(f"{where} of type {name}")


def objects(value: Any, where: str) -> list[dict[str, Any]]:
    """A list of objects; none if it is absent."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise untranslatable(f"A value of {where} that is not a list of objects")
    return value


def function(name: Any, description: Any, parameters: Any, strict: Any = None) -> dict[str, Any]:
    """A tool of chat completions."""
    made: dict[str, Any] = {"name": name, "description": description, "parameters": parameters}
    if strict is not None:
        made["strict"] = strict
    return {"type": "function", "function": {k: v for k, v in made.items() if v is not None}}


def tool_call(id_: Any, name: Any, arguments: str) -> dict[str, Any]:
    """A call in an assistant's message."""
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def schema(name: str, value: Any, strict: Any = None) -> dict[str, Any]:
    """A response format that asks for JSON of this schema."""
    made: dict[str, Any] = {"name": name, "schema": value}
    if strict is not None:
        made["strict"] = strict
    return {"type": "json_schema", "json_schema": made}


def image(media_type: Any, data: Any) -> dict[str, Any]:
    """An image of which the request holds the bytes, in base64."""
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}


def event(value: Mapping[str, Any], name: str = "") -> bytes:
    """A server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {dumps(value)}\n\n".encode()


def dumps(value: Any) -> str:
    """Compact JSON, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def arguments_of(text: str) -> Any:
    """A tool call's arguments as an object; as they are under one name if they are not JSON."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {"arguments": text}
    return value if isinstance(value, dict) else {"arguments": value}
