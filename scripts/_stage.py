"""A whole gateway in this process, with recorded answers in the upstream's place."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from _recordings import Recording, multipart_type

from gateway import db, dialects
from gateway.app import Gateway
from gateway.configured import vocabulary
from gateway.core.apis import Answer, Candidate
from gateway.core.calls import Outgoing
from gateway.core.judgement import Principal, Route
from gateway.core.message import Message
from gateway.core.ports import Bundle, Chosen
from gateway.core.standing import NOTHING
from gateway.policy.bundle import load
from gateway.server.door import Door
from gateway.server.paths import Match, Table, normal
from gateway.settings import Settings, shipped

WHO = Principal("replay", "replay")
HEADERS = {"authorization": "Bearer gw_replay", "anthropic-version": "2023-06-01"}


@dataclass
class Upstream:
    """Answers as recorded; keeps what it was sent."""

    recording: Recording
    pieces: Sequence[bytes]
    bodies: list[bytes] = field(default_factory=list)

    def speaks(self, dialect: str) -> bool:
        return True

    async def send(self, call: Outgoing) -> Answer:
        self.bodies.append(call.body)
        heads = {"content-type": self.recording.content_type}
        return Answer(self.recording.status, heads, self._body(), self.aclose)

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        pass


@dataclass
class Outcome:
    """What the upstream got and what the client got."""

    sent: list[bytes]
    status: int
    body: bytes


class Shelf:
    """All that is asked for by id was made by the one who asks."""

    async def model(self, tenant: str, id_: str) -> str | None:
        return "m"

    async def put(self, tenant: str, ids: Sequence[str], *, model: str) -> None:
        pass


class Keys:
    """Everybody may come in."""

    def authenticate(self, key: str) -> Principal | None:
        return WHO

    async def authenticate_async(self, key: str) -> Principal | None:
        return WHO


class Stage(AbstractAsyncContextManager["Stage"]):
    """The gateway: the real door, pipeline, detectors, policies and audit log."""

    def __init__(self, policies: Mapping[str, str]) -> None:
        """policies: YAML by name."""
        self.table = Table(dialects.load().values())
        self._policies = policies
        self._folder = tempfile.TemporaryDirectory()

    async def __aenter__(self) -> Stage:
        folder = Path(self._folder.name)
        cache = os.environ.get("GATEWAY_CACHE", "")
        settings = Settings(data=str(folder), cache=cache, detectors="patterns,pii", reload_s=0)
        db.upgrade(settings.database, shipped("migrations"))
        self._gateway = Gateway(settings)
        await self._gateway.start()
        words = vocabulary(settings)
        self._bundles: dict[str, Bundle] = {}
        for name, text in self._policies.items():
            file = folder / f"{name}.yaml"
            file.write_text(text)
            self._bundles[name] = load(file, words)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._gateway.aclose()
        self._folder.cleanup()

    def match(self, recording: Recording) -> Match:
        """The dialect for a recording: by the longest end of its path that one serves.

        One step alone is no end to go by: many APIs have "files".
        """
        steps = normal(unquote(recording.path)).split("/")
        for first in range(1, max(2, len(steps) - 1)):
            found = self.table.find(recording.method, "/" + "/".join(steps[first:]))
            if found is not None and found.dialect.name != "passthrough":
                return found
        path = f"/pass/{recording.host.replace(':', '.')}{'/'.join(steps)}"
        found = self.table.find(recording.method, path)
        if found is None:
            raise LookupError(f"nothing serves {recording.method} {path}")
        return found

    async def ask(self, recording: Recording, pieces: Sequence[bytes], policy: str) -> Outcome:
        """One exchange."""
        match = self.match(recording)
        upstream = Upstream(recording, pieces)

        def route(message: Message, *_: object) -> list[Candidate]:
            where = Route(message.model, message.model, "replay", recording.host)
            return [Candidate(where, upstream)]

        house = dataclasses.replace(
            self._gateway.house(),
            route=route,
            shelf=Shelf(),
            bundle=lambda *_: Chosen(self._bundles[policy]),
            # No terms are looked at: what is tried is reading and writing.
            terms=lambda *_: NOTHING,
        )
        door = dataclasses.replace(self._gateway.door(), house=house, keys=Keys())
        return await _through(door, recording, match, upstream)


async def _through(door: Door, recording: Recording, match: Match, upstream: Upstream) -> Outcome:
    media = multipart_type(recording.request) or _media(recording.request)
    headers = {**HEADERS, "content-type": media}
    path = match.path
    for name, value in match.params.items():
        path = path.replace(f"{{{name}...}}", value).replace(f"{{{name}}}", value)
    scope = {
        "type": "http",
        "method": recording.method,
        "path": path,
        "query_string": recording.query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    outcome = Outcome(upstream.bodies, 0, b"")
    body = [recording.request]

    async def receive() -> dict[str, Any]:
        if body:
            return {"type": "http.request", "body": body.pop()}
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            outcome.status = message["status"]
        else:
            outcome.body += message["body"]

    await door(scope, receive, send)
    return outcome


def _media(request: bytes) -> str:
    looks_json = not request or request.lstrip()[:1] in (b"{", b"[")
    return "application/json" if looks_json else "text/plain"
