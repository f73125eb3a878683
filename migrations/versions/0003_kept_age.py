"""How old the notes are of what upstreams keep, to let go of old ones."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_kept_created_ms", "kept", ["created_ms"])


def downgrade() -> None:
    op.drop_index("ix_kept_created_ms", "kept")
