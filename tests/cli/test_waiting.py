"""A database that is away when a command starts is told of, or waited for by what runs on."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from gateway import db
from gateway.identity.keyring import Keyring
from scripts._cut import Cable
from tests.cli.house import Gateway
from tests.e2e.running import until


@pytest.fixture
def cable(postgres_url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Cable:
    """From the commands to a database that is there."""
    url = make_url(postgres_url)
    if "host" not in url.query:
        pytest.skip("The server given has no socket in the file system.")
    cable = Cable(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    data.mkdir(mode=0o700)
    Keyring.open(data / "keyring.json")
    through = f"postgresql://postgres@127.0.0.1:{cable.port}/{url.database}"
    monkeypatch.setenv("GATEWAY_DATABASE_URL", through)
    return cable


def test_a_sequencer_waits_for_its_database(cable: Cable, postgres_url: str) -> None:
    command = [sys.executable, "-m", "gateway", "audit", "sequence"]
    with ExitStack() as open_now:
        open_now.enter_context(cable.cut(silent=False))
        running = open_now.enter_context(
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        )
        open_now.callback(running.terminate)
        assert running.stderr is not None
        assert "Waiting for it." in running.stderr.readline()
        cable.mend()
        until(lambda: _leads(postgres_url), within_s=60)
    assert running.returncode == 0


def _leads(url: str) -> bool:
    """Whether a process has the lease for sequencing this database."""
    engine = db.open_engine(url)
    statement = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    with engine.connect() as connection:
        held = connection.execute(statement).scalar_one()
    engine.dispose()
    return bool(held)


@pytest.mark.parametrize("command", [("audit", "sequence", "--once"), ("audit", "verify")])
def test_a_command_that_ends_says_what_is_away(
    command: tuple[str, ...], gateway: Gateway, cable: Cable
) -> None:
    with cable.cut(silent=False):
        assert "cannot be used" in gateway(*command, code=2).stderr
