"""Alembic environment. Run from `gateway.db.upgrade`, which hands in the connection."""

from __future__ import annotations

from alembic import context

import gateway.audit.tables
import gateway.detectors._verbatim.store
import gateway.identity.keytable
import gateway.identity.shelf  # noqa: F401  all put their tables on the metadata
from gateway.core.errors import ConfigError
from gateway.db import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise ConfigError("Migrations are run by `gateway db upgrade`, not by the alembic command.")

# One transaction around all revisions, on SQLite too: it is begun and committed by the caller.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
