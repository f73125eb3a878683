"""Deletes what requests said so that the database's files do not keep it.

SQLite leaves deleted rows in free pages and in its write-ahead log. PostgreSQL has no such
switch: there VACUUM makes room of them. What is left in either is sealed.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Engine, delete

from gateway.db import failures
from gateway.review.tables import review_text


def erase(connection: Connection, ids: Collection[str], names: Collection[str] = ()) -> None:
    """Delete these texts of these reviews, all if none is named. `flush` when it is committed."""
    if connection.dialect.name == "sqlite":
        # What is deleted is overwritten with zeros (SQLite, "Pragma statements").
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    gone = delete(review_text).where(review_text.c.review_id.in_(ids))
    if names:
        gone = gone.where(review_text.c.name.in_(names))
    connection.execute(gone)


def flush(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, if nobody is reading it just now; else the next one does."""
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone() or (0,)
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except failures(engine):
            return
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
    finally:
        connection.close()
