"""The audit log with its triggers and its view, and the gateway keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

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
KEPT = ("audit_entry", "audit_chain", "audit_registry")


def upgrade() -> None:
    _tables()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _postgresql_guards() if postgresql else _sqlite_guards():
        op.execute(sa.text(statement))
    op.execute(sa.text(POSTGRESQL_VIEW if postgresql else SQLITE_VIEW))


def downgrade() -> None:
    op.execute(sa.text("DROP VIEW exchange"))
    for table in (*KEPT, "gateway_key"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("DROP FUNCTION audit_refuse()"))


def _tables() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("ts_ms", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sa.Column("core", sa.Text, nullable=False),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("replica", "epoch", "n", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_exchange_id", "audit_entry", ["exchange_id"])
    op.create_index("ix_audit_entry_ts_ms_entry_id", "audit_entry", ["ts_ms", "entry_id"])
    op.create_index("ix_audit_entry_tenant_ts_ms", "audit_entry", ["tenant", "ts_ms"])
    op.create_index("ix_audit_entry_outcome_ts_ms", "audit_entry", ["outcome", "ts_ms"])
    op.create_table(
        "audit_chain",
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("ordinal", sa.BigInteger, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("mac_key", sa.Text, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("replica", "epoch", name="pk_audit_chain"),
        sa.UniqueConstraint("ordinal", name="uq_audit_chain_ordinal"),
    )
    op.create_table(
        "audit_registry",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("chains", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("mac_key", sa.Text, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_registry"),
    )
    op.create_table(
        "gateway_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_gateway_key"),
    )


def _refused(table: str) -> tuple[str, ...]:
    """What nobody does to this table: heads move on, entries stay."""
    return ("UPDATE", "DELETE") if table == "audit_entry" else ("DELETE",)


def _sqlite_guards() -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
        for table in KEPT
        for verb in _refused(table)
    ]


def _postgresql_guards() -> list[str]:
    return [
        """
        CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """,
        *(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
            for table in KEPT
            for verb in (*_refused(table), "TRUNCATE")
        ),
    ]


# One row per exchange. The outcome is 'open' until the closed entry is there.
SQLITE_VIEW = """
CREATE VIEW exchange AS
SELECT
    o.exchange_id,
    o.ts_ms AS opened_ms,
    c.ts_ms AS closed_ms,
    c.ts_ms - o.ts_ms AS took_ms,
    o.tenant,
    o.application,
    o.core ->> '$.data.team' AS team,
    o.key_id,
    coalesce(nullif(c.model, ''), o.model) AS model,
    coalesce(nullif(c.provider, ''), o.provider) AS provider,
    coalesce(c.core ->> '$.data.region', o.core ->> '$.data.region') AS region,
    coalesce(c.core ->> '$.data.hosting', o.core ->> '$.data.hosting') AS hosting,
    o.core ->> '$.data.endpoint' AS endpoint,
    coalesce(c.outcome, 'open') AS outcome,
    c.core ->> '$.data.status' AS status,
    coalesce(c.core ->> '$.data.request.bytes', o.core ->> '$.data.request_bytes')
        AS request_bytes,
    c.core ->> '$.data.response.bytes' AS response_bytes,
    c.core ->> '$.data.usage.input_tokens' AS input_tokens,
    c.core ->> '$.data.usage.output_tokens' AS output_tokens,
    (
        SELECT group_concat(nullif(word, ''), ',') FROM (
            SELECT value ->> '$.rule' AS word
            FROM json_each(c.core, '$.data.request.effects')
            UNION
            SELECT value ->> '$.rule' AS word
            FROM json_each(c.core, '$.data.response.effects')
            ORDER BY word
        )
    ) AS rules,
    (
        SELECT group_concat(word, ',') FROM (
            SELECT value ->> '$.category' AS word
            FROM json_each(c.core, '$.data.request.findings')
            UNION
            SELECT value ->> '$.category' AS word
            FROM json_each(c.core, '$.data.response.findings')
            ORDER BY word
        )
    ) AS categories,
    c.core ->> '$.data.policy.digest' AS policy_digest,
    c.core ->> '$.data.terms' AS terms,
    o.replica,
    o.epoch,
    o.n AS opened_n,
    c.n AS closed_n
FROM audit_entry AS o
LEFT JOIN audit_entry AS c
    ON c.exchange_id = o.exchange_id AND c.kind = 'exchange.closed'
WHERE o.kind = 'exchange.opened'
"""

POSTGRESQL_VIEW = """
CREATE VIEW exchange AS
SELECT
    o.exchange_id,
    o.ts_ms AS opened_ms,
    c.ts_ms AS closed_ms,
    c.ts_ms - o.ts_ms AS took_ms,
    o.tenant,
    o.application,
    od.data ->> 'team' AS team,
    o.key_id,
    coalesce(nullif(c.model, ''), o.model) AS model,
    coalesce(nullif(c.provider, ''), o.provider) AS provider,
    coalesce(cd.data ->> 'region', od.data ->> 'region') AS region,
    coalesce(cd.data ->> 'hosting', od.data ->> 'hosting') AS hosting,
    od.data ->> 'endpoint' AS endpoint,
    coalesce(c.outcome, 'open') AS outcome,
    CAST(cd.data ->> 'status' AS bigint) AS status,
    CAST(coalesce(cd.data #>> '{request,bytes}', od.data ->> 'request_bytes') AS bigint)
        AS request_bytes,
    CAST(cd.data #>> '{response,bytes}' AS bigint) AS response_bytes,
    CAST(cd.data #>> '{usage,input_tokens}' AS bigint) AS input_tokens,
    CAST(cd.data #>> '{usage,output_tokens}' AS bigint) AS output_tokens,
    (
        SELECT string_agg(DISTINCT f.value ->> 'rule', ',' ORDER BY f.value ->> 'rule')
        FROM (VALUES ('request'), ('response')) AS s(side),
            jsonb_array_elements(cd.data -> s.side -> 'effects') AS f(value)
        WHERE f.value ->> 'rule' <> ''
    ) AS rules,
    (
        SELECT string_agg(DISTINCT f.value ->> 'category', ',' ORDER BY f.value ->> 'category')
        FROM (VALUES ('request'), ('response')) AS s(side),
            jsonb_array_elements(cd.data -> s.side -> 'findings') AS f(value)
    ) AS categories,
    cd.data #>> '{policy,digest}' AS policy_digest,
    cd.data ->> 'terms' AS terms,
    o.replica,
    o.epoch,
    o.n AS opened_n,
    c.n AS closed_n
FROM audit_entry AS o
LEFT JOIN audit_entry AS c
    ON c.exchange_id = o.exchange_id AND c.kind = 'exchange.closed'
CROSS JOIN LATERAL (SELECT CAST(o.core AS jsonb) -> 'data' AS data) AS od
CROSS JOIN LATERAL (SELECT CAST(c.core AS jsonb) -> 'data' AS data) AS cd
WHERE o.kind = 'exchange.opened'
"""
