"""The tables of reviews: who waits for whom, and, sealed, what about.

What a request says stands in `review_text` alone, under the tenant's key, and is deleted once it
is decided. `review` keeps who, when and what was decided, so that a caller can ask.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.db import metadata

# Besides those of `ReviewState`: not yet on record, and about to be decided.
OPENING, DECIDING = "opening", "deciding"

review = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    # Of the request; empty once the same request would be a new one.
    Column("digest", Text),
    Column("state", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("exchange_id", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    Column("valid_s", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    # Until when it may be decided; then, until when the decision counts.
    Column("expires_ms", BigInteger, nullable=False),
    # When somebody last began to open or to decide it.
    Column("touched_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Column("decided_by", Text),
    UniqueConstraint("digest"),
    Index(None, "state", "expires_ms"),
    Index(None, "tenant", "state"),
)

# name: "request", what the reviewer sees; "edit", what is to stand instead; "words", to the caller.
review_text = Table(
    "review_text",
    metadata,
    Column("review_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("review_id", "name"),
)
