"""Small real things that stand at the corridor's ports: no HTTP, no SQL, no vendor library."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import actions, dialects
from gateway.actions._vault import KeyedVault
from gateway.core.apis import Answer, Candidate, Dialect
from gateway.core.calls import Call, Outgoing
from gateway.core.errors import RecordUnavailable, ShelfUnavailable, UpstreamError
from gateway.core.exchange import Exchange
from gateway.core.judgement import (
    USUAL,
    Effect,
    Finding,
    Manner,
    Principal,
    Refusal,
    ReviewOrder,
    Route,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.keeping import NOTHING_KEPT
from gateway.core.ports import Action, Asking, Chosen, Counters, Entry, Window
from gateway.core.targets import Target
from gateway.detectors._verbatim.following import Following
from gateway.detectors._verbatim.works import Works
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
    patterns: Mapping[str, re.Pattern[str]] = {"EMAIL_ADDRESS": EMAIL, "KEY": KEY}
    triggers = (re.compile("@"), re.compile("key-"))
    detectors: Mapping[str, frozenset[str]] = {"fake": frozenset({"EMAIL_ADDRESS", "KEY"})}

    def __init__(self, *, broken: bool = False, model: bool = False) -> None:
        self.broken, self.model = broken, model
        self.windows: list[Window] = []
        self.limits: list[dict[str, float]] = []

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        if self.model:
            return []
        return sorted(m.end() for p in self.triggers for m in p.finditer(text))

    def everywhere(self, detectors: Collection[str]) -> bool:
        return self.model and bool(detectors)

    async def inspect(
        self, windows: Sequence[Window], detectors: Collection[str], **limits: float
    ) -> list[list[Finding]]:
        self.windows += windows
        self.limits.append(limits)
        await asyncio.sleep(0)
        if self.broken:
            return [
                [Finding("fake", "DETECTOR_ERROR", w.own_start, w.own_end, 1.0)] for w in windows
            ]
        return [
            [
                Finding("fake", category, m.start(), m.end(), 0.9)
                for category, pattern in self.patterns.items()
                for m in pattern.finditer(w.text)
                if w.own_start < m.end() <= w.own_end
            ]
            for w in windows
        ]


class Bundle:
    """One action for each category."""

    digest = "d" * 64
    revision = "test@1"
    weighs = False
    deadline_s = math.inf
    asking = Asking()
    keeping = NOTHING_KEPT

    def __init__(
        self,
        rules: Mapping[str, str],
        mode: StreamMode = StreamMode.WINDOW,
        notice: str = "",
        order: ReviewOrder | None = None,
        manner: Manner = USUAL,
        target: Target | None = None,
    ) -> None:
        self.rules = {"DETECTOR_ERROR": "block", **rules}
        self.stream_mode = mode
        self.notice = notice
        self.order = order or ReviewOrder()
        self.manner = manner
        self.target = target or Target.of({"hosting": "self_hosted"})

    def bind(self, context: object) -> Bundle:
        return self

    def concerned(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        return tuple(n for n, c in detectors.items() if c & self.rules.keys())

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        strong = {c for c, a in self.rules.items() if _intervenes(ACTIONS[a])}
        return tuple(n for n, c in detectors.items() if c & strong)

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        effects = tuple(
            Effect(
                (action := self.rules[f.category]),
                f,
                "test",
                "r",
                "R",
                self.notice,
                manner=self.manner,
                order=self.order if ACTIONS[action].holds else None,
                target=self.target if ACTIONS[action].reroutes else None,
            )
            for f in findings
            if f.category in self.rules
        )
        stops = [e for e in effects if ACTIONS[e.action].stops]
        refusal = Refusal("policy_violation", "Not allowed.", rule="r", policy="test")
        return Verdict(effects, refusal if stops else None)


def _intervenes(action: Action) -> bool:
    return action.changes_text or action.stops or action.holds or action.reroutes


class Sink:
    """Keeps entries; can refuse them from the given one on."""

    def __init__(self, *, broken_from: int | None = None, log: list[str] | None = None) -> None:
        self.entries: list[Entry] = []
        self.broken_from = broken_from
        self.log = [] if log is None else log

    def append(self, entry: Entry) -> asyncio.Future[None]:
        if self.broken_from is not None and len(self.entries) >= self.broken_from:
            raise RecordUnavailable("away")
        self.entries.append(entry)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def durable() -> None:
            self.log.append(entry.kind)
            if not future.done():
                future.set_result(None)

        asyncio.get_running_loop().call_later(0.001, durable)
        return future

    @property
    def kinds(self) -> list[str]:
        return [e.kind for e in self.entries]

    @property
    def closed(self) -> dict[str, Any]:
        (entry,) = [e for e in self.entries if e.kind == "exchange.closed"]
        return {"outcome": entry.outcome, **entry.core}


class Shelf:
    """Remembers (tenant, id) -> model; or is broken. own: the model of all that is not known."""

    def __init__(
        self,
        models: Mapping[tuple[str, str], str] | None = None,
        *,
        broken: bool = False,
        own: str | None = None,
        log: list[str] | None = None,
    ) -> None:
        self.models = dict(models or {})
        self.own = own
        self.broken = broken
        self.log = [] if log is None else log

    async def put(self, tenant: str, ids: Sequence[str], *, model: str) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise ShelfUnavailable
        self.log.append("put")
        self.models.update({(tenant, id_): model for id_ in ids})

    async def model(self, tenant: str, id_: str) -> str | None:
        if self.broken:
            raise ShelfUnavailable
        return self.models.get((tenant, id_), self.own)


class Backend:
    """Answers with given pieces; remembers what it got.

    fail: "head" (no answer), "body" (breaks off behind the pieces), "hang" (falls silent there),
    "bug" (raises what nobody expects). tells_end: it says of its last piece that it is that;
    early: it says so of so many before it, too, and is wrong.
    """

    def __init__(
        self,
        *pieces: bytes,
        kind: str = "application/json",
        status: int = 200,
        fail: str = "",
        log: list[str] | None = None,
        tells_end: bool = False,
        early: int = 0,
    ) -> None:
        self.pieces, self.kind, self.status, self.fail = pieces, kind, status, fail
        self.tells_end, self.early, self.left = tells_end, early, len(pieces)
        self.bodies: list[bytes] = []
        self.heard: Mapping[str, str] = {}
        self.headers: dict[str, str] = {}
        self.closed = 0
        self.log = [] if log is None else log

    def speaks(self, dialect: str) -> bool:
        return True

    async def send(self, call: Outgoing) -> Answer:
        self.log.append("send")
        self.bodies.append(call.body)
        self.heard = call.headers
        if self.fail == "head":
            raise UpstreamError("no")
        heads = {"content-type": self.kind, **self.headers}
        return Answer(self.status, heads, self._body(), self._close, exhausted=self._exhausted)

    def _exhausted(self) -> bool:
        return self.tells_end and self.left <= self.early

    async def _body(self) -> AsyncIterator[bytes]:
        self.left = len(self.pieces)
        for piece in self.pieces:
            await asyncio.sleep(0)
            self.left -= 1
            yield piece
        if self.fail == "hang":
            await asyncio.sleep(3600)
        if self.fail == "body":
            raise UpstreamError("cut")
        if self.fail == "bug":
            raise ZeroDivisionError("alice.smith@example.com")

    async def _close(self) -> None:
        self.log.append("close")
        self.closed += 1

    async def aclose(self) -> None:
        pass


def house(backend: Backend, bundle: Bundle, /, **parts: object) -> House:
    values: dict[str, object] = {
        "sink": Sink(),
        "shelf": Shelf(),
        "bundle": lambda who, parts: Chosen(bundle),
        "inspector": Inspector(),
        "following": Following(lambda: Works((), b"")),
        "actions": ACTIONS,
        "route": lambda message, dialect, who: (
            [Candidate(Route(message.model, message.model, "b", "p"), backend)]
            # As the catalogue: an address is no model's name.
            if message.model != "none" and "@" not in message.model
            else []
        ),
        "vault": lambda tenant, around: KeyedVault(b"k" * 32, around),
        "labels": lambda exchange: {"gw-request-id": exchange.id},
        "seal": lambda tenant, data: hashlib.sha256(data).hexdigest(),
        "counters": Counters(),
        "clock": Clock(),
    }
    return House(**{**values, **parts})  # type: ignore[arg-type]


@dataclass
class Asked:
    """One exchange as its client saw it."""

    exchange: Exchange
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


CHAT = dialects.load()["openai_chat"]


def chat(text: str = "Hello.", **fields: object) -> bytes:
    """A request body."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    return json.dumps(body, ensure_ascii=False).encode()


async def ask_async(
    house_: House,
    body: bytes | Call,
    *,
    dialect: Dialect = CHAT,
    leave_after: int | None = None,
) -> Asked:
    """One exchange. leave_after: the client leaves after that many pieces, the head included."""
    call = body if isinstance(body, Call) else Call(body)
    exchange = Exchange("id-1", WHO, dialect.name, dialect.paths[0], {}, call)
    asked = Asked(exchange)
    seen = 0
    async with aclosing(run(exchange, dialect, house_)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Head):
                assert not asked.status
                asked.status, asked.headers = piece.status, piece.headers
            else:
                asked.pieces.append(piece)
            seen += 1
            if seen == leave_after:
                break
    return asked


def ask(house_: House, body: bytes | Call, **how: Any) -> Asked:
    """The same, in an event loop of its own."""
    return asyncio.run(ask_async(house_, body, **how))


def answered(data: bytes, kind: str, bundle: Bundle, *cuts: int, body: bytes = b"") -> Asked:
    """What a client gets of an upstream's answer that arrived cut at these positions.

    Cut an odd number of times its end is known with its last piece, else only behind it.
    """
    ends = [*cuts, len(data)]
    pieces = [data[a:b] for a, b in zip([0, *cuts], ends, strict=True)]
    backend = Backend(*pieces, kind=kind, tells_end=len(cuts) % 2 == 1)
    return ask(house(backend, bundle), body or chat(stream="event" in kind))


# --- wire samples ----------------------------------------------------------------------

WIRE = Path(__file__).parent.parent / "wire" / "openai_chat"


def call_of(request: Path) -> Call:
    """A sample request. What is not its body stands beside it, in `<name>.call.json`."""
    beside = request.with_name(request.name.split(".")[0] + ".call.json")
    more = json.loads(beside.read_bytes()) if beside.exists() else {}
    more["query"] = tuple(tuple(pair) for pair in more.get("query", ()))
    return Call(request.read_bytes(), **more)


SSE = "text/event-stream"
STREAMS = {p.stem: p.read_bytes() for p in sorted(WIRE.glob("*.sse"))}
WHOLES = {p.stem: p.read_bytes() for p in sorted(WIRE.glob("*.json")) if "." not in p.stem}
REQUESTS = {p.name.split(".")[0]: p.read_bytes() for p in sorted(WIRE.glob("*.request.json"))}
SAMPLES = {f"{n}.sse": (b, SSE) for n, b in STREAMS.items()} | {
    f"{n}.json": (b, "text/html" if b[:1] == b"<" else "application/json")
    for n, b in WHOLES.items()
}


def cuts(length: int, *, seed: int = 7) -> Iterator[list[int]]:
    """Ways to cut that many bytes: in pieces of one size, in two, and at random."""
    for size in (1, 2, 3, 7, 64, 1_000):
        yield list(range(size, length, size))
    for at in range(1, length, max(1, length // 60)):
        yield [at]
    rng = random.Random(seed)
    for _ in range(8):
        yield sorted(rng.sample(range(1, length), min(5, length - 1)))


def heard(body: bytes) -> dict[str, str]:
    """Every string of an event stream by choice and place, pieces put together: a client's view."""
    found: dict[str, str] = defaultdict(str)
    text = body.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for event in text.split("\n\n"):
        data = "\n".join(
            line[5:].removeprefix(" ") for line in event.split("\n") if line.startswith("data:")
        )
        if not data or data == "[DONE]":
            continue
        value = json.loads(data)
        for choice in value.get("choices", []):
            _strings(choice.get("delta", {}), str(choice["index"]), found)
    return dict(found)


def _strings(value: Any, path: str, found: dict[str, str]) -> None:
    if isinstance(value, str):
        found[path] += value
    elif isinstance(value, dict):
        for key, item in value.items():
            _strings(item, f"{path}/{key}", found)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            at = item.get("index", i) if isinstance(item, dict) else i
            _strings(item, f"{path}/{at}", found)


def finish_reasons(body: bytes) -> list[str]:
    """The finish reasons of an event stream, in order."""
    return re.findall(r'"finish_reason": ?"(\w+)"', body.decode())
