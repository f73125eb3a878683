"""Of what class things were that were said, so that all replicas know it of later turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_note",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", "names", name="pk_class_note"),
    )
    op.create_index("ix_class_note_tenant_seen_ms", "class_note", ["tenant", "seen_ms"])
    op.create_table(
        "class_tenant",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_class_tenant"),
    )


def downgrade() -> None:
    op.drop_table("class_tenant")
    op.drop_table("class_note")
