"""A door with every dialect, in front of an upstream that answers each in its own words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs

from gateway import catalogue
from gateway.core.apis import Answer, Candidate, Dialect
from gateway.core.calls import Call, Outgoing
from gateway.core.judgement import Principal, Route
from gateway.core.message import Message
from gateway.server.paths import SOCKET, Table, method_and_path
from gateway.server.refused import error_schema
from tests.dialects.samples import ALL, answers, requests
from tests.fuzzing import MAIL
from tests.pipeline.fakes import Backend, Shelf, call_of

MAX_BODY = 300_000
TABLE = Table(ALL.values())
PASS = "passthrough"
RULES = {"EMAIL_ADDRESS": "redact"}
ERRORS = {name: jsonschema_rs.Draft202012Validator(error_schema(d)) for name, d in ALL.items()}
CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends: [{name: b, kind: echo}]
models: [{name: "*", backend: b}]
"""
# What is asked in plain HTTP.
OVER_HTTP = [
    name
    for name, dialect in ALL.items()
    if any(method_and_path(path)[0] != SOCKET for path in dialect.paths)
]


class Upstream(Backend):
    """Answers each dialect with its first sample that is no error."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[str, Any] = {}
        for sample in answers():
            if "error" not in sample.name and "proxy" not in sample.name:
                streamed = sample.name.endswith((".sse", ".ndjson"))
                self._answers.setdefault(f"{sample.dialect.name} {streamed}", sample)
                self._answers.setdefault(f"{sample.dialect.name} {not streamed}", sample)

    async def send(self, call: Outgoing) -> Answer:
        self.bodies.append(call.body)
        # Dialects share wires, so the path tells who is asked.
        found = TABLE.find(call.method, call.path.partition("?")[0].replace("{model}", "m"))
        sample = self._answers[f"{found.dialect.name if found else PASS} {call.stream}"]

        async def body() -> AsyncIterator[bytes]:
            yield sample.answer

        return Answer(200, {"content-type": sample.content_type}, body(), self._close)


def sample_calls(name: str) -> list[tuple[str, Call]]:
    """(target, call) of each sample request of a dialect that goes over HTTP."""
    dialect = ALL[name]
    return [(target(dialect, call), call) for call in map(_with_type, requests(name))]


def _with_type(path: Path) -> Call:
    call = call_of(path)
    return replace(call, content_type=call.content_type or "application/json")


def target(dialect: Dialect, call: Call) -> str:
    """Where a client sends this call."""
    known = [method_and_path(path) for path in dialect.paths]
    names = set(call.params)
    fits = [p for m, p in known if m == call.method and p.count("{") == len(names)]
    path = call.path if call.path in fits else fits[0]
    for key, value in call.params.items():
        path = path.replace(f"{{{key}}}", value).replace(f"{{{key}...}}", value)
    query = "&".join(f"{key}={value}" for key, value in call.query)
    return path + ("?" + query if query else "")


def parts(upstream: Upstream, folder: Path) -> dict[str, Any]:
    """The ports of a house where every model is served, and everything kept is this tenant's."""
    path = folder / "catalogue.yaml"
    path.write_text(CATALOGUE)
    models = catalogue.read(path, ["echo"])

    def route(message: Message, dialect: str, who: Principal) -> list[Candidate]:
        if message.upstream or (message.service and not message.model):
            return [Candidate(Route("", "", "b", "p"), upstream)]
        found = models.find(message.model)
        return [Candidate(found.route(message.model), upstream)] if found else []

    return {"route": route, "shelf": Shelf(own="m")}


def tells(value: Any, text: str) -> bool:
    """Whether a text stands in one of the strings or names of a JSON value."""
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(text in key or tells(item, text) for key, item in value.items())
    return isinstance(value, list) and any(tells(item, text) for item in value)


def leaks(body: bytes, text: str = MAIL) -> bool:
    """Whether a text stands in this body, plainly or behind JSON's escapes."""
    if text.encode() in body:
        return True
    try:
        return tells(json.loads(body, strict=False), text)
    except (ValueError, RecursionError):
        return False


def is_refusal(dialect: Dialect, body: bytes) -> bool:
    """Whether this is an error in the shape of this dialect."""
    try:
        return ERRORS[dialect.name].is_valid(json.loads(body))
    except ValueError:
        return False
