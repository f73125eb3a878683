"""Assessors with a stand-in at their backend's place, and what they are asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from gateway.core.apis import Answer, Candidate
from gateway.core.calls import Outgoing
from gateway.core.judgement import Route, Subject
from gateway.core.message import Direction, Kind
from gateway.core.ports import Counters, Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors import Configured, RemoteAssessor
from gateway.detectors._assessors._family import method
from gateway.detectors._assessors._method import Answered, Claim, Method
from gateway.detectors._assessors._opinions import Opinions
from gateway.documents import parse

ROUTE = Route("judge", "judge-8b", "there", "local", hosting="self_hosted")
USER = Subject("user", Kind.TEXT)


class Clock:
    """Goes on when it is told to."""

    ms = 0.0

    def now_ms(self) -> int:
        return int(self.ms)

    def monotonic_ms(self) -> float:
        return self.ms


def asks(text: str) -> Submission:
    return Submission(Direction.REQUEST, USER, text)


def answers(text: str, before: str = "") -> Submission:
    return Submission(Direction.RESPONSE, Subject("assistant", Kind.TEXT), text, before)


def built(kind: str, options: str = "{}") -> Method:
    """A method with these options, as YAML."""
    (document,) = parse(options.encode(), "f.yaml")
    return method(kind, Cursor.top(document))


def chat(text: str, *, tokens: Sequence[Any] = (), **more: Any) -> bytes:
    """A chat completion. tokens: (token, {alternative: log of its chance})."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}}
    if tokens:
        choice["logprobs"] = {
            "content": [
                {
                    "token": token,
                    "logprob": top.get(token, -0.1),
                    "top_logprobs": [{"token": t, "logprob": p} for t, p in top.items()],
                }
                for token, top in tokens
            ]
        }
    usage = {"prompt_tokens": 90, "completion_tokens": 3, "total_tokens": 93}
    return json.dumps(
        {"choices": [choice | {"finish_reason": "stop"} | more], "usage": usage}
    ).encode()


def body(call: Outgoing) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call.body)
    return found


Said = bytes | int | Exception | Callable[[Outgoing], bytes]


class There:
    """A backend that says these things one after the other, the last one again and again.

    An int is a status; None is a silence.
    """

    def __init__(self, *said: Said | None, headers: Mapping[str, str] | None = None) -> None:
        self.said = list(said)
        self.headers = dict(headers or {})
        self.calls: list[Outgoing] = []
        self.closed = 0
        self.left = 0
        self.now = self.most = 0

    def speaks(self, dialect: str) -> bool:
        return True

    async def send(self, call: Outgoing) -> Answer:
        self.calls.append(call)
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await (asyncio.sleep(0) if said is not None else asyncio.Event().wait())
        except asyncio.CancelledError:
            self.left += 1
            raise
        finally:
            self.now -= 1
        if isinstance(said, Exception):
            raise said
        status = said if isinstance(said, int) else 200
        data = said(call) if callable(said) else b"{}" if isinstance(said, int) else said
        return Answer(status, self.headers, self._body(data or b""), self._close)

    async def _body(self, data: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    async def _close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        pass


class Words:
    """A method without a wire format: finds "bad", in texts of up to 100 characters."""

    version, categories = "1", frozenset({"HATE"})
    dialect, of_model, max_chars, batch = "", False, 100, 2

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        data = json.dumps([s.text for s in submissions]).encode()
        return [Outgoing(data, "service", "/")]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Any:
        json.loads(bodies[0])
        return Answered(
            [
                [Claim("HATE", at, at + 3, 0.9)] if (at := s.text.find("bad")) >= 0 else []
                for s in submissions
            ],
            10,
            1,
        )


def assessor(there: There | None, *, retries: int = 0, **said: Any) -> RemoteAssessor:
    values = {"name": "far", "kind": "words", "method": Words(), "config": "c", "place": "judge"}
    clock = Clock()
    find = lambda: there and Candidate(ROUTE, there, retries=retries)  # noqa: E731
    return RemoteAssessor(
        Configured(**{**values, **said}),
        find,
        opinions=Opinions(1_000_000, clock),
        clock=clock,
        counters=Counters(),
    )
