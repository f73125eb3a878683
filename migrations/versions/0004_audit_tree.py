"""The Merkle tree over all chains: where entries stand, its tiles, signed checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("audit_run", "audit_tile", "audit_checkpoint", "audit_cosignature")


def upgrade() -> None:
    _tables()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql_guards() if postgresql else _sqlite_guards():
        op.execute(sa.text(statement))


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("DROP FUNCTION audit_tile_grows()"))


def _tables() -> None:
    op.create_table(
        "audit_run",
        sa.Column("first_index", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("first_n", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("first_index", name="pk_audit_run"),
        sa.UniqueConstraint(
            "replica", "epoch", "first_n", name="uq_audit_run_replica_epoch_first_n"
        ),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("tile_index", sa.BigInteger, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "tile_index", name="pk_audit_tile"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("ts_ms", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )
    op.create_table(
        "audit_cosignature",
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("witness", sa.Text, nullable=False),
        sa.Column("ts_ms", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", "ts_ms", name="pk_audit_cosignature"),
    )


def _refused(table: str) -> tuple[str, ...]:
    """What nobody does to this table: tiles grow, the others stay."""
    return ("DELETE",) if table == "audit_tile" else ("UPDATE", "DELETE")


def _sqlite_guards() -> list[str]:
    return [
        *(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
            for table in TABLES
            for verb in _refused(table)
        ),
        """
        CREATE TRIGGER audit_tile_grows BEFORE UPDATE ON audit_tile
        WHEN NEW.level <> OLD.level OR NEW.tile_index <> OLD.tile_index
            OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
        BEGIN SELECT RAISE(ABORT, 'audit_tile only grows: UPDATE refused'); END
        """,
    ]


def _postgresql_guards() -> list[str]:
    return [
        # Hashes do not compress; nobody need try.
        "ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL",
        *(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
            for table in TABLES
            for verb in (*_refused(table), "TRUNCATE")
        ),
        """
        CREATE FUNCTION audit_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.level <> OLD.level OR NEW.tile_index <> OLD.tile_index
                OR substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) <> OLD.hashes
            THEN
                RAISE EXCEPTION 'audit_tile only grows: UPDATE refused'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """,
        """
        CREATE TRIGGER audit_tile_grows BEFORE UPDATE ON audit_tile
        FOR EACH ROW EXECUTE FUNCTION audit_tile_grows()
        """,
    ]
