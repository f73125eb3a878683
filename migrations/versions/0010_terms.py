"""Terms of use: what was approved, accepted and attested, by whom and until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WHOSE = ("tenant", "application", "key_id")


def upgrade() -> None:
    _table("terms_approval", ("profile", "rev", "digest", "document"), "approved")
    _table(
        "terms_acceptance",
        (*_WHOSE, "profile", "rev", "digest"),
        "accepted",
        sa.Column("accepted_as", sa.Text, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
    )
    _table(
        "terms_attestation",
        (*_WHOSE, "name", "value"),
        "attested",
        sa.Column("attested_as", sa.Text, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
    )


def downgrade() -> None:
    for name in ("terms_attestation", "terms_acceptance", "terms_approval"):
        op.drop_table(name)


def _table(name: str, texts: tuple[str, ...], act: str, *more: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Text, nullable=False),
        *(sa.Column(text, sa.Text, nullable=False) for text in texts),
        sa.Column(f"{act}_by", sa.Text, nullable=False),
        sa.Column(f"{act}_ms", sa.BigInteger, nullable=False),
        *more,
        sa.Column("withdrawn_by", sa.Text),
        sa.Column("withdrawn_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
