"""Policy bundles, what was done with them, and how a rollout goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What is signed is never changed; tallies are counted on.
SIGNED = ("policy_bundle", "policy_act")


def upgrade() -> None:
    op.create_table(
        "policy_bundle",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_policy_bundle"),
    )
    op.create_table(
        "policy_act",
        sa.Column("n", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("ts_ms", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("percent", sa.Integer, nullable=False),
        sa.Column("margin_pm", sa.Integer, nullable=False),
        sa.Column("minimum", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_policy_act"),
    )
    op.create_table(
        "policy_tally",
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("staged", sa.BigInteger, nullable=False),
        sa.Column("staged_blocked", sa.BigInteger, nullable=False),
        sa.Column("others", sa.BigInteger, nullable=False),
        sa.Column("others_blocked", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("n", "replica", name="pk_policy_tally"),
    )
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def downgrade() -> None:
    for table in (*SIGNED, "policy_tally"):
        op.drop_table(table)


def _guards(dialect: str) -> list[str]:
    if dialect == "postgresql":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
            for table in SIGNED
            for verb in ("UPDATE", "DELETE", "TRUNCATE")
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
        for table in SIGNED
        for verb in ("UPDATE", "DELETE")
    ]
