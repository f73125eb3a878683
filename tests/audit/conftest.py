from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url

from gateway import db
from gateway.audit.log import AuditLog, Limits
from gateway.audit.payloads import Payloads
from gateway.audit.sequencer import Sequencer, signer
from gateway.audit.spool import Spool
from gateway.core.note import Key
from gateway.core.ports import Counters, Entry
from gateway.identity.tenantkeys import MasterKeys

KEY = b"audit key of the tests, 32 bytes"
LogFactory = Callable[..., AbstractAsyncContextManager[AuditLog]]


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1_000


def make_opened(number: int, **changes: Any) -> Entry:
    core = {"endpoint": "/v1/chat/completions", "request_bytes": 120, "region": "eu", "team": "t1"}
    values = {"tenant": "acme", "application": "app", "key_id": "abcdefghij", "model": "m1"}
    return Entry(f"{number:08d}-exchange", "exchange.opened", core, **{**values, **changes})


def make_closed(number: int, **changes: Any) -> Entry:
    core = {
        "status": 200,
        "region": "eu",
        "hosting": "hosted",
        "request": {
            "bytes": 120,
            "findings": [{"category": "EMAIL_ADDRESS", "count": 2, "detector": "pii"}],
            "effects": [{"action": "redact", "rule": "default/pii", "count": 2}],
            "trials": [{"mode": "shadow", "action": "block", "rule": "default/new", "count": 2}],
        },
        "response": {
            "bytes": 340,
            "findings": [{"category": "AWS_KEY", "count": 1, "detector": "patterns"}],
            "effects": [{"action": "redact", "rule": "default/secrets", "count": 1}],
        },
        "usage": {"input": 12, "output": 34},
        "policy": {"digest": "d" * 64, "revision": "1"},
        "terms": [{"profile": "openai", "rev": "1", "acceptance": "a1"}],
    }
    values = {
        "tenant": "acme",
        "application": "app",
        "key_id": "abcdefghij",
        "model": "m1",
        "provider": "openai",
        "outcome": "completed",
    }
    return Entry(f"{number:08d}-exchange", "exchange.closed", core, **{**values, **changes})


@pytest.fixture
def key() -> bytes:
    return KEY


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
def opened() -> Callable[..., Entry]:
    return make_opened


@pytest.fixture
def closed() -> Callable[..., Entry]:
    return make_closed


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def tenant_keys() -> MasterKeys:
    return MasterKeys("first", {"first": b"master key of the tests 32 bytes"})


@pytest.fixture
def audit_log(
    engine: Engine, clock: SystemClock, counters: Counters, tenant_keys: MasterKeys
) -> LogFactory:
    """Opens an audit log on the test's database for the length of a block."""

    @asynccontextmanager
    async def run(
        *,
        replica: str = "r1",
        spool: Spool | None = None,
        heartbeat_s: int = 0,
        look_s: float = 5.0,
        **limits: Any,
    ) -> AsyncIterator[AuditLog]:
        log = AuditLog(
            engine,
            key=KEY,
            replica=replica,
            clock=clock,
            counters=counters,
            limits=Limits(**limits),
            spool=spool,
            heartbeat_s=heartbeat_s,
            payloads=Payloads(engine, tenant_keys, look_s=look_s),
        )
        await log.start()
        try:
            yield log
        finally:
            await log.aclose()

    return run


@pytest.fixture
def filled(engine: Engine, audit_log: LogFactory) -> Engine:
    """Three chains of one replica with four exchanges each; n: 0 opened, 1 to 8, 9 closed."""

    async def fill(first: int) -> None:
        async with audit_log() as log:
            entries = [(make_opened(i), make_closed(i)) for i in range(first, first + 4)]
            await asyncio.gather(*(log.append(entry) for pair in entries for entry in pair))

    for first in (0, 4, 8):
        asyncio.run(fill(first))
    return engine


def drop_triggers(engine: Engine) -> None:
    """What an administrator of the database does first."""
    found = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    if engine.dialect.name == "postgresql":
        found = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    with db.writing(engine) as connection:
        for name, table in connection.exec_driver_sql(found).all():
            on = f" ON {table}" if engine.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


@pytest.fixture
def sequencer(engine: Engine, key: bytes, clock: SystemClock) -> Callable[..., Sequencer]:
    def make(**options: Any) -> Sequencer:
        return Sequencer(engine, key=key, signer=signer(key, ""), clock=clock, **options)

    return make


@pytest.fixture
def log_key(key: bytes) -> Key:
    return signer(key, "").key


@pytest.fixture
def unguarded(filled: Engine) -> Engine:
    """The filled log with its triggers dropped, as an administrator of the database could."""
    drop_triggers(filled)
    return filled


@pytest.fixture
def outage(database_url: str) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Takes the database away for the length of a block."""

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        with _away(database_url):
            yield

    return away


@contextmanager
def _away(url: str) -> Iterator[None]:
    if url.startswith("sqlite"):
        engine = db.open_engine(url)
        with db.writing(engine) as connection:
            connection.exec_driver_sql("ALTER TABLE audit_chain RENAME TO gone")
        try:
            yield
        finally:
            with db.writing(engine) as connection:
                connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit_chain")
            engine.dispose()
        return
    parsed = make_url(url)
    admin = create_engine(db.normalise(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    allow = f"ALTER DATABASE {parsed.database} ALLOW_CONNECTIONS"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"{allow} false")
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{parsed.database}'"
        )
    try:
        yield
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"{allow} true")
        admin.dispose()


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    async def wait(holds: Callable[[], bool], within_s: float = 10) -> None:
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, "it did not come to hold in time"
            await asyncio.sleep(0.01)

    return wait
