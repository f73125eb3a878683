"""Views for saved questions, and an exchange's tokens, labels and terms as they are recorded."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# One row per finding, effect, trial and opaque part of each closed exchange.
LISTS = {
    "finding": ("findings", ("detector", "category"), ("count", "max_pm")),
    "effect": ("effects", ("action", "rule", "reason"), ("count",)),
    "trial": ("trials", ("mode", "action", "rule", "reason"), ("count",)),
    "opaque": ("opaque", ("path", "media_type"), ("bytes",)),
}
COLUMNS = (
    "c.exchange_id, c.ts_ms, c.tenant, c.application, c.key_id, c.model, c.provider, c.outcome"
)
ROUTE = ("team", "endpoint", "region", "hosting")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP VIEW exchange")
    op.execute(_sqlite_exchange() if sqlite else _postgresql_exchange())
    for name in LISTS:
        op.execute(_sqlite_list(name) if sqlite else _postgresql_list(name))
    op.execute(_act(sqlite=sqlite))


def downgrade() -> None:
    op.execute("DROP VIEW act")
    for name in reversed(LISTS):
        op.execute(f"DROP VIEW {name}")
    op.execute("DROP VIEW exchange")
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(_sqlite_exchange(old=True) if sqlite else _postgresql_exchange(old=True))


def _sqlite_list(name: str) -> str:
    items, words, numbers = LISTS[name]
    route = ", ".join(f"c.core ->> '$.data.{word}' AS {word}" for word in ROUTE)
    told = ", ".join(f"i.value ->> '$.{word}' AS {word}" for word in (*words, *numbers))
    sides = " UNION ALL ".join(
        f"SELECT {COLUMNS}, {route}, '{side}' AS direction, {told} "  # noqa: S608 - our own words
        f"FROM audit_entry AS c, json_each(c.core, '$.data.{side}.{items}') AS i "
        "WHERE c.kind = 'exchange.closed'"
        for side in ("request", "response")
    )
    return f"CREATE VIEW {name} AS {sides}"


def _postgresql_list(name: str) -> str:
    items, words, numbers = LISTS[name]
    route = ", ".join(f"d.data ->> '{word}' AS {word}" for word in ROUTE)
    told = ", ".join(
        (
            *(f"i.value ->> '{word}' AS {word}" for word in words),
            *(f"CAST(i.value ->> '{word}' AS bigint) AS {word}" for word in numbers),
        )
    )
    return (
        f"CREATE VIEW {name} AS SELECT {COLUMNS}, {route}, s.side AS direction, {told} "  # noqa: S608
        "FROM audit_entry AS c "
        "CROSS JOIN LATERAL (SELECT CAST(c.core AS jsonb) -> 'data' AS data) AS d "
        "CROSS JOIN (VALUES ('request'), ('response')) AS s(side) "
        f"CROSS JOIN LATERAL jsonb_array_elements(d.data -> s.side -> '{items}') AS i(value) "
        "WHERE c.kind = 'exchange.closed'"
    )


def _act(*, sqlite: bool) -> str:
    """What people and processes did to the gateway or its log, exchanges aside."""
    data = "e.core -> '$.data'" if sqlite else "CAST(e.core AS jsonb) -> 'data'"
    via = "e.core ->> '$.data.via'" if sqlite else "CAST(e.core AS jsonb) -> 'data' ->> 'via'"
    return (
        "CREATE VIEW act AS SELECT e.ts_ms, e.kind, e.tenant, e.application, e.key_id, "  # noqa: S608
        f"e.exchange_id, {via} AS via, CAST({data} AS text) AS data, e.replica, e.epoch, e.n "
        "FROM audit_entry AS e "
        "WHERE e.kind NOT IN ('exchange.opened', 'exchange.closed', 'chain.heartbeat')"
    )


def _sqlite_exchange(*, old: bool = False) -> str:
    tokens = ("input_tokens", "output_tokens") if old else ("input", "output")
    labels = """
    (SELECT group_concat(value, ',') FROM json_each(c.core, '$.data.labels')) AS labels,
    """
    terms = """
    CASE json_type(coalesce(c.core, o.core), '$.data.terms')
        WHEN 'array' THEN (
            SELECT group_concat((value ->> '$.profile') || '@' || (value ->> '$.rev'), ',')
            FROM json_each(coalesce(c.core, o.core), '$.data.terms')
        )
        ELSE coalesce(c.core, o.core) ->> '$.data.terms'
    END"""
    if old:
        labels, terms = "", "c.core ->> '$.data.terms'"
    return f"""
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
    c.core ->> '$.data.usage.{tokens[0]}' AS input_tokens,
    c.core ->> '$.data.usage.{tokens[1]}' AS output_tokens,
    {labels}
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
    {terms} AS terms,
    o.replica,
    o.epoch,
    o.n AS opened_n,
    c.n AS closed_n
FROM audit_entry AS o
LEFT JOIN audit_entry AS c
    ON c.exchange_id = o.exchange_id AND c.kind = 'exchange.closed'
WHERE o.kind = 'exchange.opened'
"""  # noqa: S608 - our own words


def _postgresql_exchange(*, old: bool = False) -> str:
    tokens = ("input_tokens", "output_tokens") if old else ("input", "output")
    labels = """
    (
        SELECT string_agg(l.value, ',')
        FROM jsonb_array_elements_text(cd.data -> 'labels') AS l(value)
    ) AS labels,
    """
    terms = """
    CASE jsonb_typeof(coalesce(cd.data, od.data) -> 'terms')
        WHEN 'array' THEN (
            SELECT string_agg((t.value ->> 'profile') || '@' || (t.value ->> 'rev'), ',')
            FROM jsonb_array_elements(coalesce(cd.data, od.data) -> 'terms') AS t(value)
        )
        ELSE coalesce(cd.data, od.data) ->> 'terms'
    END"""
    if old:
        labels, terms = "", "cd.data ->> 'terms'"
    return f"""
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
    CAST(coalesce(cd.data #>> '{{request,bytes}}', od.data ->> 'request_bytes') AS bigint)
        AS request_bytes,
    CAST(cd.data #>> '{{response,bytes}}' AS bigint) AS response_bytes,
    CAST(cd.data #>> '{{usage,{tokens[0]}}}' AS bigint) AS input_tokens,
    CAST(cd.data #>> '{{usage,{tokens[1]}}}' AS bigint) AS output_tokens,
    {labels}
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
    cd.data #>> '{{policy,digest}}' AS policy_digest,
    {terms} AS terms,
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
"""  # noqa: S608 - our own words
