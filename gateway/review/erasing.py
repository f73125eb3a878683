"""Deletes what requests said so that the database's files do not keep it.

SQLite leaves deleted rows in free pages and in its write-ahead log. PostgreSQL has no such
switch: there VACUUM makes room of them. What is left in either is sealed.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete

from gateway.db import securely
from gateway.review.tables import review_text


def erase(connection: Connection, ids: Collection[str], names: Collection[str] = ()) -> None:
    """Delete these texts of these reviews, all if none is named.

    `db.flush` when it is committed.
    """
    securely(connection)
    gone = delete(review_text).where(review_text.c.review_id.in_(ids))
    if names:
        gone = gone.where(review_text.c.name.in_(names))
    connection.execute(gone)
