"""Requests that wait for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    texts = ("state", "tenant", "application", "key_id", "key_name", "exchange_id", "endpoint")
    more = ("model", "provider", "backend", "reasons", "reviewers")
    op.create_table(
        "review",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in (*texts, *more)),
        sa.Column("valid_s", sa.Integer, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("touched_ms", sa.BigInteger, nullable=False),
        sa.Column("decided_ms", sa.BigInteger),
        sa.Column("decided_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
        sa.UniqueConstraint("digest", name="uq_review_digest"),
    )
    op.create_index("ix_review_state_expires_ms", "review", ["state", "expires_ms"])
    op.create_index("ix_review_tenant_state", "review", ["tenant", "state"])
    op.create_table(
        "review_text",
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("review_id", "name", name="pk_review_text"),
    )


def downgrade() -> None:
    op.drop_table("review_text")
    op.drop_table("review")
