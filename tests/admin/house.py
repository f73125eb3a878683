"""An admin app on a real log, with everything else as small as it gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Engine

from gateway.admin.app import build
from gateway.admin.ports import (
    AdminPorts,
    BundleSummary,
    DetectorSummary,
    ModelSummary,
    PolicySummary,
)
from gateway.audit.log import AuditLog
from gateway.audit.payloads import Payloads
from gateway.audit.reading import Leave
from gateway.core.apis import Reply
from gateway.core.errors import RecordUnavailable
from gateway.core.ports import Counters, Entry
from gateway.identity.keys import KeyStore
from gateway.identity.tenantkeys import MasterKeys
from gateway.lifecycle.desk import By, PolicyDesk
from gateway.lifecycle.store import Store as PolicyStore
from gateway.quieting.store import Store as QuietStore
from gateway.review.desk import Desk
from gateway.review.sealed import Seals
from gateway.review.store import Store
from gateway.terms.acts import Desk as TermsDesk
from gateway.terms.ledger import Ledger
from tests.lifecycle.house import SIGNER, compiled
from tests.terms.profiles import HAZARDS, profile

Within = Callable[..., None]
URL = "http://admin.test"
PROFILE = profile()
READERS = {
    "policy": ["policy"],
    "ruth": ["payload_reader"],
    "rob": ["payload_reader"],
}
PAYLOAD_KEYS = MasterKeys("first", {"first": b"p" * 32})


@dataclass
class Clock:
    """The real time, which tests may put forward."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1_000 + self.ahead_ms


class Sink:
    """The real log behind a list of what was appended. `full`: it takes no more."""

    def __init__(self, log: AuditLog) -> None:
        self.entries: list[Entry] = []
        self.full = False
        self._log = log

    def append(self, entry: Entry) -> asyncio.Future[None]:
        if self.full:
            raise RecordUnavailable("the audit queue is full")
        self.entries.append(entry)
        return self._log.append(entry)


@dataclass
class House:
    client: httpx.AsyncClient
    sink: Sink
    clock: Clock
    store: KeyStore
    problems: dict[str, str]
    reviews: Store
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def bearer(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[who]}"} if who else {}

    async def sign_in(self, who: str = "auditor") -> httpx.Response:
        return await self.client.post("/login", data={"key": self.keys[who]})

    async def write(self, *entries: Entry) -> None:
        for entry in entries:
            await self.sink.append(entry)
        self.sink.entries.clear()


@asynccontextmanager
async def house(
    engine: Engine, *, model: str = "echo", leave: Leave | None = None
) -> AsyncIterator[House]:
    clock, counters, problems = Clock(), Counters(), dict[str, str]()
    log = AuditLog(
        engine,
        key=b"k" * 32,
        replica="test",
        clock=clock,
        counters=counters,
        payloads=Payloads(engine, PAYLOAD_KEYS),
    )
    store, sink = KeyStore(engine, clock=clock), Sink(log)
    reviews = Store(engine, Seals(lambda tenant: b"r" * 32), clock)
    ports = AdminPorts(
        version="0.1.0",
        engine=engine,
        keys=store,
        sink=sink,
        clock=clock,
        counters=counters,
        reviews=Desk(reviews, sink, counters, via="admin"),
        quiet=QuietStore(engine, lambda tenant: tenant.encode().ljust(32, b"q"), clock),
        terms=TermsDesk(Ledger(engine), lambda: {"maker/one": PROFILE}, HAZARDS, clock),
        session_key=b"s" * 32,
        probe=lambda path: Reply(503 if problems else 200, {}, path.encode()),
        problems=lambda: problems,
        warnings=lambda: {"policy": "not reloaded <here>"},
        bundle=lambda: BundleSummary(
            "d" * 64, "default@1", (PolicySummary("default", "1", 10, "About."),)
        ),
        models=lambda: [
            ModelSummary(
                model,
                "b",
                "echo",
                "p",
                "hosted",
                "",
                "",
                "",
                True,
                "",
                "",
                classes=("confidential", "health"),
                retention_days=30,
            )
        ],
        detectors=[DetectorSummary("pii", "1", ("EMAIL_ADDRESS",))],
        desk=PolicyDesk(
            PolicyStore(engine, SIGNER),
            SIGNER,
            compile_=compiled,
            record=_recording(sink),
            clock=clock,
        ),
        payload_keys=PAYLOAD_KEYS,
        payload_leave=leave or Leave(),
    )
    await log.start()
    await store.start()
    transport = httpx.ASGITransport(app=build(ports))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            made = House(client, sink, clock, store, problems, reviews)
            known = {"admin": ["admin"], "auditor": ["auditor"], "user": [], "rita": ["reviewer"]}
            for who, roles in {**known, **READERS}.items():
                principal, made.keys[who] = store.new(f"<{who}>", tenant="acme", roles=roles)
                made.ids[who] = principal.key_id
            made.keys["wrong"] = "gw_" + "a" * 10 + "_" + "b" * 43
            yield made
    finally:
        await store.aclose()
        await log.aclose()


def _recording(sink: Sink) -> Callable[[str, dict[str, Any], By], None]:
    """Puts acts on the log, from the thread in which they are done."""
    loop = asyncio.get_running_loop()

    async def append(entry: Entry) -> None:
        await sink.append(entry)

    def put(kind: str, core: dict[str, Any], by: By) -> None:
        entry = Entry("", kind, core, key_id=by.key_id)
        asyncio.run_coroutine_threadsafe(append(entry), loop).result(10)

    return put


def closed(number: int, **changes: object) -> Entry:
    """A closed exchange with one finding and one effect."""
    core = {
        "status": 200,
        "request": {
            "findings": [
                {"category": "REQUEST", "count": 1, "detector": "gateway", "max_pm": 1000},
                {"category": "EMAIL_ADDRESS", "count": 2, "detector": "pii", "max_pm": 1000},
            ],
            "effects": [{"action": "redact", "rule": "default/contact", "count": 2}],
            "judged_chars": 40,
        },
        "response": {"findings": [], "effects": []},
        "usage": {"input": 3, "output": 4},
        "latency_us": {"total": 12_000, "judging": 1_500},
    }
    values = {"tenant": "acme", "model": "echo", "outcome": "completed", **changes}
    return Entry(f"{number:08d}-exchange", "exchange.closed", core, **values)  # type: ignore[arg-type]
