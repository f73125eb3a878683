"""The register of works in SQL: who they are, and what is kept of their texts."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Engine, LargeBinary, Table, Text, delete, insert, select

from gateway.core.errors import ConfigError
from gateway.core.ports import Clock
from gateway.db import metadata, snapshot, writing
from gateway.detectors._verbatim.shingles import GUARANTEED_WORDS, SCHEME
from gateway.detectors._verbatim.works import Fingerprint, fingerprint

work = Table(
    "work",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("words", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("places", LargeBinary, nullable=False),
)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MAX_CHARS = 256
_FACTS = (work.c.id, work.c.title, work.c.owner, work.c.licence, work.c.words, work.c.created_ms)


@dataclass(frozen=True, slots=True)
class WorkInfo:
    """What may be shown of a work. usable: compared with answers; else see `Register`."""

    id: str
    title: str
    owner: str
    licence: str
    words: int
    created_ms: int
    usable: bool = True


class Register:
    """The table of works. Every call is one short transaction and blocks.

    key: under which shingles are hashed. What was registered under another one, or by a gateway
    that compares in another way, stays but is not usable: its text must be registered again.
    """

    def __init__(self, engine: Engine, key: bytes, clock: Clock) -> None:
        self._engine = engine
        self._key = key
        self._key_name = hmac.digest(key, b"works", "sha256").hex()[:16]
        self._clock = clock

    def read(self, info: WorkInfo, text: str, *, free: str = "") -> tuple[WorkInfo, Fingerprint]:
        """What would be kept of a text. Raises ConfigError if that cannot be registered.

        info: its words and time are filled in. free: text that anybody may reproduce.
        """
        if not _ID.fullmatch(info.id):
            raise ConfigError(
                "A work's id is 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first; "
                f"found {info.id[:64]!r}."
            )
        for name in ("title", "owner", "licence"):
            if len(getattr(info, name)) > _MAX_CHARS:
                raise ConfigError(f"--{name}: at most {_MAX_CHARS} characters.")
        kept = fingerprint(text, self._key, free=free)
        if not kept.hashes:
            raise ConfigError(
                f"There is nothing to register: a work needs {GUARANTEED_WORDS} words or more, "
                f"found {kept.words} of its own."
            )
        made = WorkInfo(
            info.id, info.title, info.owner, info.licence, kept.words, self._clock.now_ms()
        )
        return made, kept

    def add(self, info: WorkInfo, kept: Fingerprint) -> None:
        """Register what `read` made. Raises ConfigError if there is such a work."""
        values = {column.name: getattr(info, column.name) for column in _FACTS}
        values |= {"scheme": SCHEME, "key": self._key_name}
        values |= {"hashes": kept.hashes, "places": kept.places}
        with writing(self._engine) as connection:
            known = connection.execute(select(work.c.id).where(work.c.id == info.id)).first()
            if known is None:
                connection.execute(insert(work).values(values))
        if known is not None:
            raise ConfigError(f"There is a work {info.id!r} already. See: gateway works list")

    def remove(self, id_: str) -> bool:
        """Forget a work. False if there is none of this id."""
        with writing(self._engine) as connection:
            return connection.execute(delete(work).where(work.c.id == id_)).rowcount == 1

    def infos(self) -> list[WorkInfo]:
        """All works, oldest first."""
        statement = select(*_FACTS, work.c.scheme, work.c.key)
        statement = statement.order_by(work.c.created_ms, work.c.id)
        with snapshot(self._engine) as connection:
            return [
                WorkInfo(
                    id=row.id,
                    title=row.title,
                    owner=row.owner,
                    licence=row.licence,
                    words=row.words,
                    created_ms=row.created_ms,
                    usable=self._usable(row.scheme, row.key),
                )
                for row in connection.execute(statement)
            ]

    def fetch(self, ids: Collection[str]) -> list[tuple[str, Fingerprint]]:
        """What is kept of these works, as far as it is usable."""
        found: list[tuple[str, Fingerprint]] = []
        with snapshot(self._engine) as connection:
            for id_ in ids:
                row = connection.execute(select(work).where(work.c.id == id_)).first()
                if row is not None and self._usable(row.scheme, row.key):
                    kept = Fingerprint(row.words, bytes(row.hashes), bytes(row.places))
                    found.append((id_, kept))
        return found

    def _usable(self, scheme: str, key: str) -> bool:
        return (scheme, key) == (SCHEME, self._key_name)


def unusable(infos: Sequence[WorkInfo]) -> list[str]:
    """The ids of works that answers are not compared with."""
    return [info.id for info in infos if not info.usable]
