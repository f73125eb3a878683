"""Whose a gateway key is. Acts are recorded by keys' ids, and one person may hold several."""

from __future__ import annotations

from sqlalchemy import Engine, select

from gateway.db import snapshot
from gateway.identity.keytable import gateway_key

# As acts over HTTP name their key.
_KEY = "key:"


class Persons:
    """Implements `PersonOf`: the name that a key was made for, also of one revoked since.

    Keys of one name are one person's, whatever their tenants. Two names of one person, or a key
    that two people share, nobody can tell here. Each call asks the database, and blocks.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, who: str) -> str:
        """The person's name; what is no key's id is a name already."""
        key = gateway_key.c
        name = select(key.name).where(key.id == who.removeprefix(_KEY))
        with snapshot(self._engine) as connection:
            found = connection.execute(name).scalar_one_or_none()
        return who if found is None else found
