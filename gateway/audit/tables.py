"""The tables of the audit log. `docs/audit.md` describes every field.

Rows of `audit_entry` are written once; triggers (see the migrations) refuse to change
or delete them. What changes later belongs in tables of its own.
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
