"""The tables of bundles and of what was done with them. `docs/policy-life-cycle.md` tells."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from gateway.db import metadata

policy_bundle = Table(
    "policy_bundle",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("sources", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)

# Each act's note signs the act and the note of the one before.
policy_act = Table(
    "policy_act",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("ts_ms", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("margin_pm", Integer, nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("note", Text, nullable=False),
)

# Exchanges of a rollout's step, by replica: those that the new bundle judged, and the others.
policy_tally = Table(
    "policy_tally",
    metadata,
    Column("n", BigInteger, nullable=False),
    Column("replica", Text, nullable=False),
    Column("staged", BigInteger, nullable=False),
    Column("staged_blocked", BigInteger, nullable=False),
    Column("others", BigInteger, nullable=False),
    Column("others_blocked", BigInteger, nullable=False),
    PrimaryKeyConstraint("n", "replica"),
)
