"""What a role of PostgreSQL may do with the database: just what the gateway, or an auditor, needs.

The writer is the gateway's own role: it adds to the log and cannot change it. The auditor reads the
log and its views, but neither keys, nor what is kept of texts, nor anything else. Who may make
tables (`gateway db upgrade`) is neither of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, text

from gateway.core.errors import ConfigError


class Rights(StrEnum):
    """What a role is for."""

    WRITER = "writer"
    AUDITOR = "auditor"


_TREE = ("audit_run", "audit_tile", "audit_checkpoint", "audit_cosignature")
_VIEWS = ("exchange", "finding", "effect", "trial", "opaque", "act", "concern", "cost")
_TERMS = ("terms_approval", "terms_acceptance", "terms_attestation")

# Privileges -> tables and views. Nothing that is not here.
NEEDED: dict[Rights, dict[str, tuple[str, ...]]] = {
    Rights.WRITER: {
        "SELECT": ("alembic_version", *_VIEWS),
        "SELECT, INSERT": (
            "audit_entry", "audit_run", "audit_checkpoint", "audit_cosignature",
            "policy_bundle", "policy_act",
        ),
        "SELECT, INSERT, UPDATE": (
            "audit_chain", "audit_registry", "audit_tile", "audit_hold", "audit_erased",
            "audit_reading", "gateway_key", "policy_tally", "class_tenant", *_TERMS,
        ),
        "SELECT, INSERT, DELETE": ("work", "kept", "review_text", "quiet_value"),
        "SELECT, INSERT, UPDATE, DELETE": (
            "audit_payload", "audit_payload_key", "review", "class_note",
        ),
    },
    Rights.AUDITOR: {
        "SELECT": (
            "alembic_version", "audit_entry", "audit_chain", "audit_registry", *_TREE, *_VIEWS,
        ),
    },
}  # fmt: skip

_NAME = re.compile(r"(?!pg_)[A-Za-z_][A-Za-z0-9_-]{0,62}")
_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_OF_COLUMNS = "('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')"
_MAINTAIN_SINCE = (17,)

# Whatever way it came to them: by its own grant, as an owner, by PUBLIC or by another role.
_ON_TABLES = f"""
SELECT CASE WHEN n.nspname = current_schema() THEN '' ELSE n.nspname || '.' END || c.relname,
    p.privilege, has_table_privilege(:role, c.oid, p.privilege)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN unnest(CAST(:privileges AS text[])) AS p(privilege)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass)
        AND d.objid = c.oid AND d.deptype = 'e')
    AND CASE WHEN p.privilege IN {_OF_COLUMNS}
        THEN has_any_column_privilege(:role, c.oid, p.privilege)
        ELSE has_table_privilege(:role, c.oid, p.privilege) END
ORDER BY 1, 2
"""  # noqa: S608  our own words
_BEYOND_TABLES = """
SELECT 'is a superuser' FROM pg_roles WHERE rolname = :role AND rolsuper
UNION ALL SELECT 'may make roles' FROM pg_roles WHERE rolname = :role AND rolcreaterole
UNION ALL SELECT 'may make databases' FROM pg_roles WHERE rolname = :role AND rolcreatedb
UNION ALL SELECT 'may replicate' FROM pg_roles WHERE rolname = :role AND rolreplication
UNION ALL SELECT 'passes row security' FROM pg_roles WHERE rolname = :role AND rolbypassrls
UNION ALL SELECT 'is a member of ' || g.rolname FROM pg_auth_members m
    JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid WHERE r.rolname = :role
UNION ALL SELECT 'may make schemas in database ' || current_database()
    WHERE has_database_privilege(:role, current_database(), 'CREATE')
UNION ALL SELECT 'may make objects in schema ' || nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
    AND has_schema_privilege(:role, oid, 'CREATE')
UNION ALL SELECT 'owns ' || relname FROM pg_class
    WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = :role) AND relkind <> 'i'
UNION ALL SELECT 'may call ' || proname || ', which acts with the rights of its owner'
    FROM pg_proc WHERE prosecdef AND has_function_privilege(:role, oid, 'EXECUTE')
    AND pronamespace <> CAST('pg_catalog' AS regnamespace)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a role may do beyond its rights, and what it lacks of them, each in words."""

    more: tuple[str, ...]
    less: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether it has its rights and nothing else."""
        return not self.more and not self.less


def plan(engine: Engine, name: str, rights: Rights) -> list[str]:
    """The SQL that gives a role of this name these rights, and takes from it what it has else.

    Makes the role if it is not there; then it has no password. Raises ConfigError.
    """
    _check(engine, name)
    with engine.connect() as connection:
        return _plan(connection, name, rights)


def grant(engine: Engine, name: str, rights: Rights) -> None:
    """Do it, all at once: a gateway that runs as that role notices nothing. Raises ConfigError."""
    _check(engine, name)
    with engine.begin() as connection:
        if name == connection.execute(text("SELECT current_user")).scalar_one():
            raise ConfigError(
                f"{name} is the role of this connection, which makes the tables. "
                "Name another one, so that the gateway or the auditor has less than that."
            )
        for statement in _plan(connection, name, rights):
            connection.exec_driver_sql(statement)


def standing(engine: Engine, name: str, rights: Rights) -> Standing:
    """What is between what this role may do and these rights. Raises ConfigError."""
    _check(engine, name)
    with engine.connect() as connection:
        if not _is_there(connection, name):
            raise ConfigError(f"There is no role {name} on this server.")
        beyond = connection.execute(text(_BEYOND_TABLES), {"role": name}).scalars().all()
        more, whole = _held(connection, name, _pairs(rights))
        less = [f"{verb} {table}" for table, verb in sorted(_pairs(rights) - whole)]
        if "is a superuser" in beyond:
            more = []  # It goes without saying.
        return Standing((*beyond, *more), tuple(f"may not {each}" for each in less))


def _held(
    connection: Connection, name: str, needed: set[tuple[str, str]]
) -> tuple[list[str], set[tuple[str, str]]]:
    """What the role may do with tables beyond `needed`, and all that it may with whole ones."""
    privileges = list(_PRIVILEGES)
    if (connection.dialect.server_version_info or ()) >= _MAINTAIN_SINCE:
        privileges.append("MAINTAIN")
    given = {"role": name, "privileges": privileges}
    held = connection.execute(text(_ON_TABLES), given).all()
    more = [f"may {verb} {table}" for table, verb, _ in held if (table, verb) not in needed]
    return more, {(table, verb) for table, verb, whole in held if whole}


def _pairs(rights: Rights) -> set[tuple[str, str]]:
    """(table, privilege), each that is needed."""
    return {
        (table, verb)
        for verbs, tables in NEEDED[rights].items()
        for verb in verbs.split(", ")
        for table in tables
    }


def _plan(connection: Connection, name: str, rights: Rights) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    made = [] if _is_there(connection, name) else [f"CREATE ROLE {quote(name)} LOGIN"]
    place = text("SELECT current_schema(), current_database()")
    schema, database = connection.execute(place).one()
    return [*made, *statements(quote(name), rights, quote(schema), quote(database))]


def statements(role: str, rights: Rights, schema: str, database: str) -> Iterator[str]:
    """The SQL for a role that is there. All names are quoted as they need to be."""
    for kind in ("TABLES", "SEQUENCES"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {role}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {role}"
    yield f"REVOKE ALL ON DATABASE {database} FROM {role}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    for verbs, tables in NEEDED[rights].items():
        yield f"GRANT {verbs} ON {', '.join(tables)} TO {role}"


def _is_there(connection: Connection, name: str) -> bool:
    found = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    return connection.execute(found, {"role": name}).first() is not None


def _check(engine: Engine, name: str) -> None:
    if engine.dialect.name != "postgresql":
        raise ConfigError(
            "Roles are PostgreSQL's. SQLite has none: who may read the file reads all of it."
        )
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{name[:63]!r}: expected a role's name of letters, digits, '_' and '-' that begins "
            "with a letter, or '_', and not with 'pg_', 63 at most."
        )
