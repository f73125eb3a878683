"""Gateway keys: made, listed, revoked and looked up in SQL. Only hashes are stored.

A key is `gw_<id>_<secret>`: a public id of 10 base32 characters and 32 random bytes in
base64url. A plain SHA-256 is enough for such a secret; slow hashes are for passwords.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Engine, LargeBinary, Table, Text, insert, select, update

from gateway.core.judgement import Principal
from gateway.core.ports import Clock
from gateway.db import metadata, snapshot, writing

gateway_key = Table(
    "gateway_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("data_class", Text, nullable=False, server_default=""),
)

_KEY = re.compile(r"gw_([a-z2-7]{10})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key, any time."""

    id: str
    name: str
    tenant: str
    application: str
    team: str
    roles: tuple[str, ...]
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    data_class: str = ""

    def valid(self, now_ms: int) -> bool:
        """Whether the key opens the door at this time."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)

    @property
    def principal(self) -> Principal:
        """Who asks with this key."""
        return Principal(
            key_id=self.id,
            name=self.name,
            tenant=self.tenant,
            application=self.application,
            team=self.team,
            roles=self.roles,
            data_class=self.data_class,
        )


def split(key: str) -> tuple[str, bytes] | None:
    """(id, SHA-256 of the secret) of a key's text; None if it does not look like one."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    return match.group(1), hashlib.sha256(match.group(2).encode()).digest()


class KeyTable:
    """The table of keys. Every call is one short transaction and blocks."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def new(
        self,
        name: str,
        *,
        tenant: str = "default",
        application: str = "",
        team: str = "",
        roles: Sequence[str] = (),
        expires_ms: int | None = None,
        data_class: str = "",
    ) -> tuple[Principal, str]:
        """Make a key. The text is returned here and never again."""
        key_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()[:10]
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        info = KeyInfo(
            id=key_id,
            name=name,
            tenant=tenant,
            application=application,
            team=team,
            roles=tuple(roles),
            created_ms=self._clock.now_ms(),
            expires_ms=expires_ms,
            revoked_ms=None,
            data_class=data_class,
        )
        values = {
            "id": info.id,
            "name": name,
            "tenant": tenant,
            "application": application,
            "team": team,
            "roles": json.dumps(info.roles),
            "hash": hashlib.sha256(secret.encode()).digest(),
            "created_ms": info.created_ms,
            "expires_ms": expires_ms,
            "data_class": data_class,
        }
        with writing(self._engine) as connection:
            connection.execute(insert(gateway_key).values(values))
        return info.principal, f"gw_{key_id}_{secret}"

    def revoke(self, key_id: str) -> bool:
        """Revoke a key. False if there is no such key or it was revoked before."""
        statement = (
            update(gateway_key)
            .where(gateway_key.c.id == key_id, gateway_key.c.revoked_ms.is_(None))
            .values(revoked_ms=self._clock.now_ms())
        )
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount == 1

    def list(self) -> list[KeyInfo]:
        """All keys, oldest first, the revoked ones too."""
        return [info for info, _ in self.load().values()]

    def load(self) -> dict[str, tuple[KeyInfo, bytes]]:
        """All keys by id, each with its hash, oldest first."""
        statement = select(gateway_key).order_by(gateway_key.c.created_ms, gateway_key.c.id)
        with snapshot(self._engine) as connection:
            return {
                row.id: (
                    KeyInfo(
                        id=row.id,
                        name=row.name,
                        tenant=row.tenant,
                        application=row.application,
                        team=row.team,
                        roles=tuple(json.loads(row.roles)),
                        created_ms=row.created_ms,
                        expires_ms=row.expires_ms,
                        revoked_ms=row.revoked_ms,
                        data_class=row.data_class,
                    ),
                    bytes(row.hash),
                )
                for row in connection.execute(statement)
            }
