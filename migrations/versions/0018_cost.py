"""A view of what exchanges cost: one row for each answer, and one for each assessor asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = "c.exchange_id, c.ts_ms, c.tenant, c.application, c.key_id, c.outcome"
# Not those that no provider has seen, or has refused: nobody charges for these.
MAY_COST = "c.outcome IN ('completed', 'blocked', 'disconnected')"
# Who reads the other views reads this one.
READERS = """
SELECT DISTINCT quote_ident(pg_get_userbyid(grantee))
FROM pg_class, LATERAL aclexplode(relacl)
WHERE oid = CAST('exchange' AS regclass) AND privilege_type = 'SELECT'
    AND grantee NOT IN (0, relowner)
"""
SQLITE = f"""
CREATE VIEW cost AS
SELECT {COLUMNS}, c.core ->> '$.data.team' AS team, '' AS assessor, c.provider, c.model,
    c.core ->> '$.data.usage.input' AS input_tokens,
    c.core ->> '$.data.usage.output' AS output_tokens,
    coalesce(c.core ->> '$.data.cost.currency', '') AS currency,
    c.core ->> '$.data.cost.nanos' AS nanos,
    coalesce(c.core ->> '$.data.cost.at_least', 0) AS at_least
FROM audit_entry AS c
WHERE c.kind = 'exchange.closed' AND (c.outcome = 'interrupted'
    OR coalesce(c.core -> '$.data.usage', '{{}}') <> '{{}}'
    OR ({MAY_COST} AND coalesce(c.core ->> '$.data.upstream_called', 0)))
UNION ALL
SELECT {COLUMNS}, c.core ->> '$.data.team', i.value ->> '$.assessor', '',
    i.value ->> '$.model',
    nullif(i.value ->> '$.prompt_tokens', 0),
    nullif(i.value ->> '$.completion_tokens', 0),
    coalesce(i.value ->> '$.cost.currency', ''),
    i.value ->> '$.cost.nanos',
    0
FROM audit_entry AS c, json_each('["request", "response"]') AS s,
    json_each(c.core, '$.data.' || s.value || '.consulted') AS i
WHERE c.kind = 'exchange.closed' AND c.core LIKE '%"consulted":[{{"%'
    AND i.value ->> '$.calls' > 0
"""  # noqa: S608  our own words
POSTGRESQL = f"""
CREATE VIEW cost AS
SELECT {COLUMNS}, d.data ->> 'team' AS team, '' AS assessor, c.provider, c.model,
    CAST(d.data #>> '{{usage,input}}' AS bigint) AS input_tokens,
    CAST(d.data #>> '{{usage,output}}' AS bigint) AS output_tokens,
    coalesce(d.data #>> '{{cost,currency}}', '') AS currency,
    CAST(d.data #>> '{{cost,nanos}}' AS bigint) AS nanos,
    CASE d.data #>> '{{cost,at_least}}' WHEN 'true' THEN 1 ELSE 0 END AS at_least
FROM audit_entry AS c
CROSS JOIN LATERAL (SELECT CAST(c.core AS jsonb) -> 'data' AS data OFFSET 0) AS d
WHERE c.kind = 'exchange.closed' AND (c.outcome = 'interrupted'
    OR coalesce(d.data -> 'usage', '{{}}') <> '{{}}'
    OR ({MAY_COST} AND d.data ->> 'upstream_called' = 'true'))
UNION ALL
SELECT {COLUMNS}, d.data ->> 'team', i.value ->> 'assessor', '', i.value ->> 'model',
    CAST(nullif(i.value ->> 'prompt_tokens', '0') AS bigint),
    CAST(nullif(i.value ->> 'completion_tokens', '0') AS bigint),
    coalesce(i.value #>> '{{cost,currency}}', ''),
    CAST(i.value #>> '{{cost,nanos}}' AS bigint),
    0
FROM audit_entry AS c
CROSS JOIN LATERAL (SELECT CAST(c.core AS jsonb) -> 'data' AS data OFFSET 0) AS d
CROSS JOIN (VALUES ('request'), ('response')) AS s(side)
CROSS JOIN LATERAL jsonb_array_elements(d.data -> s.side -> 'consulted') AS i(value)
WHERE c.kind = 'exchange.closed' AND c.core LIKE '%"consulted":[{{"%'
    AND CAST(i.value ->> 'calls' AS bigint) > 0
"""  # noqa: S608  our own words


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute(SQLITE)
        return
    op.execute(POSTGRESQL)
    for reader in connection.execute(sa.text(READERS)).scalars().all():
        op.execute(f"GRANT SELECT ON cost TO {reader}")


def downgrade() -> None:
    op.execute("DROP VIEW cost")
