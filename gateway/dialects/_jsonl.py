"""Files of JSON lines on their way to OpenAI's API: each line is read as what it is.

A line of a batch is a request (OpenAI's guide to batches, 2026), read by the fields of the API
that its `url` names. A line for fine-tuning is an example, mostly a conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse_object
from gateway.core.message import Edit, Kind
from gateway.core.splice import json_edits
from gateway.dialects import (
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_moderations,
    openai_responses,
)
from gateway.dialects._api import JsonApi
from gateway.dialects._fields import MAX_PARTS, TEXT, Field, Found, plain, read
from gateway.dialects._openai_fields import WORD

APIS: Mapping[str, JsonApi] = {
    api.paths[0]: api
    for api in (
        openai_chat.Member(),
        openai_responses.Member(),
        openai_embeddings.Member(),
        openai_completions.Member(),
        openai_moderations.Member(),
    )
}
_OWN = plain("the caller's own number of a request")
_ENVELOPE = {"custom_id": _OWN, "method": WORD, "url": plain("one of the paths that are known")}
REQUESTS = Field(
    fields=_ENVELOPE,
    case_member="url",
    cases={url: Field(fields={**_ENVELOPE, "body": api.request}) for url, api in APIS.items()},
)
_ASKED = openai_chat.REQUEST.fields
_TOLD = {name: _ASKED[name] for name in ("messages", "tools", "functions", "parallel_tool_calls")}
EXAMPLES = Field(
    kind=Kind.TEXT,
    fields={
        **_TOLD,
        "prompt": TEXT,
        "completion": TEXT,
        "input": Field(fields=_TOLD),
        "preferred_output": _ASKED["messages"],
        "non_preferred_output": _ASKED["messages"],
    },
)
ROWS = Field(kind=Kind.TEXT)


@dataclass(slots=True)
class Contents:
    """What a file of lines holds. model: the one that all requests in it name."""

    found: Found = field(default_factory=Found)
    model: str = ""
    asks: dict[str, None] = field(default_factory=dict)
    states: dict[str, None] = field(default_factory=dict)


def contents(text: str, spec: Field, path: str) -> Contents:
    """Read every line. Raises Unreadable, which tells the line's number, counted from 1."""
    out = Contents()
    for number, _, line in _cut(text):
        try:
            value = parse_object(line.encode())
            if spec is REQUESTS:
                _request(value, out)
            read(value, spec, out.found, path=f"{path}/{number}")
        except Unreadable as err:
            why = err.refusal.message
            raise Unreadable(f"Line {number} of the file cannot be read. {why}") from err
        if len(out.found.parts) > MAX_PARTS:
            raise Unreadable(
                f"The file holds more than {MAX_PARTS} separate texts. Split it into several.",
                code="request_too_large",
                status=413,
            )
    return out


def edited(text: str, edits: Mapping[str, Sequence[Edit]], model: tuple[str, str]) -> list[Edit]:
    """The edits of a file's text that these edits of its lines make, by "number/path".

    model: (the one that every line of requests names, what it is to be); the same: it stays.
    """
    wanted: dict[int, dict[str, Sequence[Edit]]] = {}
    for path, changes in edits.items():
        named, _, inner = path.partition("/")
        wanted.setdefault(int(named), {})[f"/{inner}"] = changes
    asked, upstream = model
    renamed = {"/body/model": [Edit(0, len(asked), upstream)]} if asked != upstream else {}
    out: list[Edit] = []
    for number, start, line in _cut(text):
        inside = {**wanted.pop(number, {}), **renamed}
        out += [
            Edit(start + e.start, start + e.end, e.replacement) for e in json_edits(line, inside)
        ]
    if wanted:
        raise KeyError("an edited line is not in the file")
    return out


def _cut(text: str) -> Iterator[tuple[int, int, str]]:
    """(number from 1, where it starts, the line) of each line that is not blank."""
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(" \t\r"):
            yield number, start, line
        start += len(line) + 1


def _request(value: Mapping[str, Any], out: Contents) -> None:
    """Check a line's envelope, and note what its request reaches for. Raises Unreadable."""
    url, body = value.get("url"), value.get("body")
    api = APIS.get(url) if isinstance(url, str) else None
    if api is None:
        raise Unreadable(f"'url' must be one of {', '.join(APIS)}.")
    if not isinstance(body, dict):
        raise Unreadable("'body' must be an object.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Unreadable("'model' in 'body' must be a string that names a model.")
    if model != (out.model or model):
        raise Unreadable("All lines of a file must name the same model, as OpenAI's batches do.")
    out.model = model
    call = Call(b"")
    out.asks |= dict.fromkeys(api.asks_of(body, call))
    out.states |= dict.fromkeys(api.states_of(body, call))
