"""Who was erased: a data key made before is not let in any more, whatever it comes from.

The insert itself is checked, by a trigger, so nothing that writes keys can pass it over. On
PostgreSQL the trigger and the erasure take the same advisory lock. What comes first is seen by the
other, for at READ COMMITTED each statement of a volatile function has a snapshot of its own
(https://www.postgresql.org/docs/current/xfunc-volatility.html).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = "audit_payload_key"
TRIGGER = f"{KEY}_not_erased"
OF_SQLITE = f"""
CREATE TRIGGER {TRIGGER} BEFORE INSERT ON {KEY}
WHEN EXISTS (SELECT 1 FROM audit_erased WHERE tenant = NEW.tenant AND subject = NEW.subject
    AND until_ms >= NEW.created_ms)
BEGIN SELECT RAISE(IGNORE); END
"""  # noqa: S608  our own names
OF_POSTGRESQL = (
    """
CREATE FUNCTION audit_lock_subject(tenant text, subject text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT hashtextextended(subject, hashtextextended(tenant, 0)) $$""",
    """
CREATE FUNCTION audit_not_erased() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(audit_lock_subject(NEW.tenant, NEW.subject));
    IF EXISTS (SELECT 1 FROM audit_erased e WHERE e.tenant = NEW.tenant
        AND e.subject = NEW.subject AND e.until_ms >= NEW.created_ms) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$""",
    f"""
CREATE TRIGGER {TRIGGER} BEFORE INSERT ON {KEY}
FOR EACH ROW EXECUTE FUNCTION audit_not_erased()""",
)
# The trigger acts with the rights of who inserts: a gateway that runs on must have them at once.
WRITERS = f"""
SELECT DISTINCT quote_ident(pg_get_userbyid(grantee))
FROM pg_class, LATERAL aclexplode(relacl)
WHERE oid = CAST('{KEY}' AS regclass) AND privilege_type = 'INSERT'
    AND grantee NOT IN (0, relowner)
"""  # noqa: S608  our own names


def upgrade() -> None:
    op.create_table(
        "audit_erased",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", name="pk_audit_erased"),
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute(OF_SQLITE)
        return
    for writer in connection.execute(sa.text(WRITERS)).scalars().all():
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON audit_erased TO {writer}")
    for statement in OF_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {TRIGGER}")
    else:
        op.execute(f"DROP TRIGGER {TRIGGER} ON {KEY}")
        op.execute("DROP FUNCTION audit_not_erased()")
        op.execute("DROP FUNCTION audit_lock_subject(text, text)")
    op.drop_table("audit_erased")
