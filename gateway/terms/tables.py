"""The tables of what people did about terms. Rows are added, and at most withdrawn once.

tenant, application and key_id say for whom: a key (all three), an application (the first two),
or a tenant. Names of people stand here and not in the audit log, which is for ever.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from gateway.db import metadata

terms_approval = Table(
    "terms_approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("rev", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_ms", BigInteger, nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_ms", BigInteger),
)

terms_acceptance = Table(
    "terms_acceptance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("rev", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("accepted_as", Text, nullable=False),
    Column("accepted_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("withdrawn_by", Text),
    Column("withdrawn_ms", BigInteger),
)

terms_attestation = Table(
    "terms_attestation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("attested_by", Text, nullable=False),
    Column("attested_as", Text, nullable=False),
    Column("attested_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("withdrawn_by", Text),
    Column("withdrawn_ms", BigInteger),
)
