"""What is kept of texts, its keys, holds on it, and leave to read it; whom entries concern."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _table("audit_payload_key", ("key_id", "tenant", "subject", "month", "version"), "created_ms",
           sa.Column("wrapped", sa.LargeBinary, nullable=False))  # fmt: skip
    _table(
        "audit_payload",
        ("entry_id", "exchange_id", "tenant", "subject", "retention", "key_id"),
        "ts_ms",
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"],
            ["audit_payload_key.key_id"],
            name="fk_audit_payload_key_id",
            ondelete="CASCADE",
        ),
    )
    _table(
        "audit_hold",
        ("hold_id", "tenant", "subject", "exchange_id", "reason", "placed_by", "lifted_by"),
        "placed_ms",
        sa.Column("lifted_ms", sa.BigInteger),
    )
    _table(
        "audit_reading",
        ("reading_id", "exchange_id", "tenant", "reason", "asked_by", "approved_by"),
        "asked_ms",
        sa.Column("approved_ms", sa.BigInteger),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    for table, *columns in (
        ("audit_payload_key", "tenant", "subject"),
        ("audit_payload", "exchange_id"),
        ("audit_payload", "key_id"),
        ("audit_payload", "retention", "ts_ms"),
        ("audit_reading", "exchange_id"),
    ):
        op.create_index(f"ix_{'_'.join((table, *columns))}", table, columns)
    op.execute(_concern(sqlite=op.get_bind().dialect.name == "sqlite"))


def downgrade() -> None:
    op.execute("DROP VIEW concern")
    for name in ("audit_reading", "audit_hold", "audit_payload", "audit_payload_key"):
        op.drop_table(name)


def _table(name: str, texts: tuple[str, ...], when: str, *more: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        *(sa.Column(text, sa.Text, nullable=False) for text in texts),
        sa.Column(when, sa.BigInteger, nullable=False),
        *more,
        sa.PrimaryKeyConstraint(texts[0], name=f"pk_{name}"),
    )


def _concern(*, sqlite: bool) -> str:
    """Entries that concern somebody, with the reference."""
    data = "e.core ->> '$.data.subject'"
    subject = data if sqlite else "CAST(e.core AS jsonb) #>> '{data,subject}'"
    return (
        f"CREATE VIEW concern AS SELECT {subject} AS subject, e.ts_ms, e.kind, e.exchange_id, "  # noqa: S608
        "e.tenant, e.application, e.key_id, e.model, e.provider, e.outcome "
        f"FROM audit_entry AS e WHERE {subject} IS NOT NULL"
    )
