"""Small real things that stand at the corridor's ports: no HTTP, no SQL, no vendor library."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from gateway import actions
from gateway.actions._vault import KeyedVault
from gateway.core.errors import RecordUnavailable, UpstreamError
from gateway.core.exchange import Exchange
from gateway.core.judgement import (
    Effect,
    Finding,
    Principal,
    Refusal,
    Route,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.ports import Answer, Counters, Entry, Window
from gateway.pipeline.house import House
from gateway.pipeline.response import Head
from gateway.pipeline.run import run

EMAIL = re.compile(r"[a-z0-9.]{1,30}@[a-z0-9]{1,20}\.[a-z]{2,5}")
KEY = re.compile(r"key-[0-9a-f]{8}")
WHO = Principal("k1", "test", "acme")
ACTIONS = actions.load()


class Clock:
    """Stands still."""

    def now_ms(self) -> int:
        return 1_760_000_000_000

    def monotonic_ms(self) -> float:
        return 0.0


class Inspector:
    """Finds e-mail addresses and keys with two regular expressions."""

    reach_chars = 64
    detectors: Mapping[str, frozenset[str]] = {"fake": frozenset({"EMAIL_ADDRESS", "KEY"})}

    def __init__(self, *, broken: bool = False, model: bool = False) -> None:
        self.broken, self.model = broken, model
        self.windows: list[Window] = []

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        if self.model:
            return []
        return sorted(m.end() for p in (re.compile("@"), re.compile("key-")) for m in p.finditer(text))

    def everywhere(self, detectors: Collection[str]) -> bool:
        return self.model and bool(detectors)

    async def inspect(
        self, windows: Sequence[Window], detectors: Collection[str]
    ) -> list[list[Finding]]:
        self.windows += windows
        await asyncio.sleep(0)
        if self.broken:
            return [
                [Finding("fake", "DETECTOR_ERROR", w.own_start, w.own_end, 1.0)] for w in windows
            ]
        return [
            [
                Finding("fake", category, m.start(), m.end(), 0.9)
                for category, pattern in (("EMAIL_ADDRESS", EMAIL), ("KEY", KEY))
                for m in pattern.finditer(w.text)
                if w.own_start < m.end() <= w.own_end
            ]
            for w in windows
        ]


class Bundle:
    """One action for each category."""

    digest = "d" * 64
    revision = "test@1"

    def __init__(
        self, rules: Mapping[str, str], mode: StreamMode = StreamMode.WINDOW, notice: str = ""
    ) -> None:
        self.rules = {"DETECTOR_ERROR": "block", **rules}
        self.stream_mode = mode
        self.notice = notice

    def bind(self, context: object) -> Bundle:
        return self

    def concerned(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        return tuple(n for n, c in detectors.items() if c & self.rules.keys())

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        strong = {c for c, a in self.rules.items() if ACTIONS[a].changes_text or ACTIONS[a].stops}
        return tuple(n for n, c in detectors.items() if c & strong)

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        effects = tuple(
            Effect(self.rules[f.category], f, "test", "r", "R", self.notice)
            for f in findings
            if f.category in self.rules
        )
        stops = [e for e in effects if ACTIONS[e.action].stops]
        refusal = Refusal("policy_violation", "Not allowed.", rule="r", policy="test")
        return Verdict(effects, refusal if stops else None)


class Sink:
    """Keeps entries; can refuse them."""

    def __init__(self, *, broken: bool = False) -> None:
        self.entries: list[Entry] = []
        self.broken = broken

    def append(self, entry: Entry) -> asyncio.Future[None]:
        if self.broken:
            raise RecordUnavailable("away")
        self.entries.append(entry)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    @property
    def closed(self) -> dict[str, object]:
        (entry,) = [e for e in self.entries if e.kind == "exchange.closed"]
        return {"outcome": entry.outcome, **entry.core}


class Backend:
    """Answers with given pieces; remembers what it got."""

    def __init__(
        self, *pieces: bytes, kind: str = "application/json", status: int = 200, fail: str = ""
    ) -> None:
        self.pieces, self.kind, self.status, self.fail = pieces, kind, status, fail
        self.bodies: list[bytes] = []
        self.closed = 0

    async def send(self, body: bytes, headers: Mapping[str, str], path: str) -> Answer:
        self.bodies.append(body)
        if self.fail == "head":
            raise UpstreamError("no")
        return Answer(self.status, {"content-type": self.kind}, self._body(), self._close)

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            yield piece
        if self.fail == "hang":
            await asyncio.sleep(3600)
        if self.fail == "body":
            raise UpstreamError("cut")

    async def _close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        pass


def house(backend: Backend, bundle: Bundle, **parts: object) -> House:
    values: dict[str, object] = {
        "sink": Sink(),
        "bundle": lambda: bundle,
        "inspector": Inspector(),
        "actions": ACTIONS,
        "route": lambda model, who: (Route(model, model, "b", "p"), backend)
        if model != "none"
        else None,
        "vault": lambda tenant, taken: KeyedVault(b"k" * 32, taken),
        "labels": lambda exchange: {"gw-request-id": exchange.id},
        "seal": lambda tenant, data: "00",
        "counters": Counters(),
        "clock": Clock(),
    }
    return House(**{**values, **parts})  # type: ignore[arg-type]


async def ask(house_: House, dialect: object, body: bytes) -> tuple[int, bytes, Exchange]:
    """(status, body, exchange) of one request."""
    exchange = Exchange("id-1", WHO, "openai_chat", "/v1/chat/completions", {}, body)
    status, out = 0, b""
    async for piece in run(exchange, dialect, house_):  # type: ignore[arg-type]
        if isinstance(piece, Head):
            status = piece.status
        else:
            out += piece
    return status, out, exchange
