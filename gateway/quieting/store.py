"""Marked false hits in SQL: of the value a keyed digest is kept, never the value itself."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from sqlalchemy import BigInteger, Column, Engine, Table, Text, delete, func, insert, select

from gateway.core.alike import alike
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.core.judgement import DATA_CLASS, DETECTOR_ERROR, OPAQUE, STATE, TERMS
from gateway.core.ports import Clock
from gateway.db import metadata, snapshot, writing

quiet_value = Table(
    "quiet_value",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

QUIETED, ENDED = "findings.quieted", "findings.quiet_ended"
MAX_VALUES = 20_000
MAX_CHARS = 4_000
MAX_DAYS = 3_650
_MAX_WORDS_CHARS = 200
_DAY_MS = 86_400_000
_CATEGORY = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
# What nobody found in a text cannot be a false hit.
_EVENTS = frozenset({DATA_CLASS, DETECTOR_ERROR, OPAQUE, STATE, TERMS})

# Tenant -> the 32-byte key of its digests.
Keys = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class FalseHit:
    """What somebody says was found falsely. days: for how long that counts; 0 for ever.

    by: who says so.
    """

    tenant: str
    category: str
    value: str = field(repr=False)
    reason: str = ""
    by: str = ""
    days: int = 0


@dataclass(frozen=True, slots=True)
class QuietValue:
    """One value that is no finding of its category for its tenant. expires_ms: 0 for never."""

    id: str
    tenant: str
    category: str
    digest: str
    reason: str
    created_by: str
    created_ms: int
    expires_ms: int = 0

    @property
    def core(self) -> dict[str, str | int]:
        """What is put on record of it; not what people wrote."""
        names = ("id", "tenant", "category", "digest", "expires_ms")
        return {name: getattr(self, name) for name in names}

    def counts(self, now_ms: int) -> bool:
        """Whether it has not expired."""
        return not self.expires_ms or now_ms < self.expires_ms


def digest_of(key: bytes, category: str, value: str) -> str:
    """HMAC-SHA256 under a tenant's key of the category and the value's form (`core.alike`)."""
    return hmac.digest(key, f"{category}\0{alike(value)}".encode(), "sha256").hex()


class Store:
    """The table. Every call is one short transaction and blocks."""

    def __init__(self, engine: Engine, keys: Keys, clock: Clock) -> None:
        self.engine = engine
        self._keys = keys
        self._clock = clock

    def read(self, found: FalseHit) -> QuietValue:
        """What would be kept. Raises ConfigError, which never quotes the value, if it cannot be."""
        _check(found)
        now_ms = self._clock.now_ms()
        made = QuietValue(
            new_id(),
            found.tenant,
            found.category,
            digest_of(self._keys(found.tenant), found.category, found.value),
            found.reason,
            found.by,
            now_ms,
            now_ms + found.days * _DAY_MS if found.days else 0,
        )
        self._check_new(made, now_ms)
        return made

    def add(self, value: QuietValue) -> None:
        """Keep what `read` made."""
        with writing(self.engine) as connection:
            row = {each.name: getattr(value, each.name) for each in fields(value)}
            connection.execute(insert(quiet_value).values(row))

    def get(self, id_: str) -> QuietValue | None:
        """The one of this id, if there is one."""
        return next((each for each in self.all() if each.id == id_), None)

    def end(self, id_: str) -> None:
        """From now on it is a finding again."""
        with writing(self.engine) as connection:
            connection.execute(delete(quiet_value).where(quiet_value.c.id == id_))

    def all(self, tenant: str | None = None) -> list[QuietValue]:
        """Those of a tenant, or of all, oldest first; also those that have expired."""
        asked = select(quiet_value).order_by(quiet_value.c.created_ms, quiet_value.c.id)
        if tenant is not None:
            asked = asked.where(quiet_value.c.tenant == tenant)
        with snapshot(self.engine) as connection:
            return [QuietValue(**row) for row in connection.execute(asked).mappings()]

    def stamp(self) -> tuple[int, int, str, str]:
        """What changes whenever one is added or ended; cheap."""
        c = quiet_value.c
        asked = select(
            func.count(),
            func.coalesce(func.sum(c.created_ms), 0),
            func.coalesce(func.min(c.id), ""),
            func.coalesce(func.max(c.id), ""),
        )
        with snapshot(self.engine) as connection:
            count, total, first, last = connection.execute(asked).one()
            return int(count), int(total), str(first), str(last)

    def _check_new(self, made: QuietValue, now_ms: int) -> None:
        known = self.all()
        if len(known) >= MAX_VALUES:
            raise ConfigError(f"There are {MAX_VALUES:,} quiet values already; end some first.")
        for each in known:
            same = (each.tenant, each.digest) == (made.tenant, made.digest)
            if same and each.counts(now_ms):
                raise ConfigError(f"This value is quiet already, as {each.id}.")


def _check(found: FalseHit) -> None:
    if not _CATEGORY.fullmatch(found.category) or found.category in _EVENTS:
        raise ConfigError(
            f"Expected the category of a finding, such as PERSON, found {found.category[:64]!r}."
        )
    if not alike(found.value) or len(found.value) > MAX_CHARS:
        raise ConfigError(f"Expected a value of 1 to {MAX_CHARS:,} characters.")
    if not found.tenant or max(map(len, (found.tenant, found.reason))) > _MAX_WORDS_CHARS:
        raise ConfigError(f"Tenant and reason: at most {_MAX_WORDS_CHARS} characters.")
    if not 0 <= found.days <= MAX_DAYS:
        raise ConfigError(f"Days: expected 0 to {MAX_DAYS:,}, found {found.days}.")
