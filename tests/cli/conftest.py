"""The command `gateway` in a folder of its own, with nothing of this machine's settings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway import db
from gateway.audit.log import AuditLog
from gateway.cli import app
from gateway.clock import SystemClock
from gateway.core.ports import Counters, Entry
from gateway.identity.keyring import Keyring
from tests.cli.house import Gateway, url

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, not made yet."""
    cache = os.environ["GATEWAY_CACHE"]
    for name in os.environ:
        if name.startswith("GATEWAY_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("GATEWAY_CACHE", cache)
    monkeypatch.setenv("GATEWAY_DATA", str(folder))
    monkeypatch.setenv("GATEWAY_DETECTORS", "patterns")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def gateway() -> Gateway:
    """Runs a command; fails unless it ends with `code`."""

    def run(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(arguments), input=stdin)
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


@pytest.fixture
def ready(data: Path) -> Path:
    """The data folder with database and keyring."""
    data.mkdir(mode=0o700)
    db.upgrade(url(data), MIGRATIONS)
    Keyring.open(data / "keyring.json")
    return data


@pytest.fixture
def write(ready: Path) -> Callable[..., None]:
    """Writes entries to the log."""

    async def append(entries: tuple[Entry, ...]) -> None:
        engine = db.open_engine(url(ready))
        key = Keyring.open(ready / "keyring.json").audit_key
        clock = SystemClock()
        log = AuditLog(engine, key=key, replica="test", clock=clock, counters=Counters())
        await log.start()
        for entry in entries:
            await log.append(entry)
        await log.aclose()
        engine.dispose()

    return lambda *entries: asyncio.run(append(entries))
