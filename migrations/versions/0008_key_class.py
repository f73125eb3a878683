"""The least class of the data in what is asked with a key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("data_class", sa.Text, nullable=False, server_default="")
    op.add_column("gateway_key", column)


def downgrade() -> None:
    op.drop_column("gateway_key", "data_class")
