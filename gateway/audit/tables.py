"""The tables of the audit log. `docs/audit.md` describes every field.

Rows of `audit_entry` are written once; triggers (see the migrations) refuse to change
or delete them. What changes later belongs in tables of its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.db import metadata

# Columns of audit_entry that the core repeats under the same name, text first.
TEXTS = (
    "exchange_id",
    "kind",
    "tenant",
    "application",
    "key_id",
    "model",
    "provider",
    "outcome",
)


def _where(kinds: str) -> dict[str, Any]:
    """Only rows of these kinds are in the index."""
    return {f"{dialect}_where": text(kinds) for dialect in ("sqlite", "postgresql")}


audit_entry = Table(
    "audit_entry",
    metadata,
    Column("replica", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    *(Column(name, Text, nullable=False) for name in TEXTS),
    Column("core", Text, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("replica", "epoch", "n"),
    Index(None, "exchange_id"),
    Index(None, "ts_ms", "entry_id"),
    Index(None, "tenant", "ts_ms"),
    Index(None, "outcome", "ts_ms"),
    # What views and questions ask for a time: what they pass over is not in the way.
    *(
        Index(f"ix_audit_entry_{name}_ts_ms", "ts_ms", **_where(kinds))
        for name, kinds in {
            "opened": "kind = 'exchange.opened'",
            "closed": "kind = 'exchange.closed'",
            "act": "kind NOT IN ('exchange.opened', 'exchange.closed', 'chain.heartbeat')",
        }.items()
    ),
)
# From whom an entry concerns to the entry, as PostgreSQL has it; migration 0017 says it for both.
Index(
    "ix_audit_entry_subject_ts_ms",
    text("(CAST(core AS json) #>> '{data,subject}')"),
    audit_entry.c.ts_ms,
)

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("replica", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("mac_key", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    PrimaryKeyConstraint("replica", "epoch"),
    UniqueConstraint("ordinal"),
)

audit_registry = Table(
    "audit_registry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("chains", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("mac_key", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

# Which entries stand where in the tree: runs of one chain, one after the other.
audit_run = Table(
    "audit_run",
    metadata,
    Column("first_index", BigInteger, primary_key=True, autoincrement=False),
    Column("replica", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("first_n", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    UniqueConstraint("replica", "epoch", "first_n"),
)

audit_tile = Table(
    "audit_tile",
    metadata,
    Column("level", Integer, nullable=False),
    Column("tile_index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "tile_index"),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

audit_cosignature = Table(
    "audit_cosignature",
    metadata,
    Column("size", BigInteger, nullable=False),
    Column("witness", Text, nullable=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("line", Text, nullable=False),
    PrimaryKeyConstraint("size", "witness", "ts_ms"),
)

# Data keys of what is kept of texts: one or more for a person and month, wrapped.
audit_payload_key = Table(
    "audit_payload_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index(None, "tenant", "subject"),
)

# What is kept of texts, apart from the entries, which say only what its digest was.
audit_payload = Table(
    "audit_payload",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("exchange_id", Text, nullable=False, index=True),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("retention", Text, nullable=False),
    Column(
        "key_id",
        Text,
        ForeignKey("audit_payload_key.key_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("ts_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "retention", "ts_ms"),
)

# Whose data keys, made up to then, were destroyed: a trigger lets none of them in any more.
audit_erased = Table(
    "audit_erased",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)

# What must not be erased for now. Empty: whoever, or whatever, it is.
audit_hold = Table(
    "audit_hold",
    metadata,
    Column("hold_id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("exchange_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("lifted_by", Text, nullable=False),
    Column("lifted_ms", BigInteger),
)

# Leave to read what is kept of one exchange, for a while.
audit_reading = Table(
    "audit_reading",
    metadata,
    Column("reading_id", Text, primary_key=True),
    Column("exchange_id", Text, nullable=False, index=True),
    Column("tenant", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_ms", BigInteger),
    Column("expires_ms", BigInteger, nullable=False),
)
