"""What people did about terms, in SQL: approvals, acceptances, attestations, withdrawals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import Engine, Table, insert, select, update

from gateway.core.judgement import Principal
from gateway.db import snapshot, writing
from gateway.terms.tables import terms_acceptance, terms_approval, terms_attestation


@dataclass(frozen=True, slots=True)
class Whose:
    """For whom something was accepted or attested: a key, an application or a tenant."""

    tenant: str
    application: str = ""
    key_id: str = ""

    @property
    def level(self) -> str:
        """key, application or tenant."""
        return "key" if self.key_id else "application" if self.application else "tenant"

    @staticmethod
    def levels(who: Principal) -> Iterable[Whose]:
        """All that may speak for a principal, the most specific first."""
        yield Whose(who.tenant, who.application, who.key_id)
        if who.application:
            yield Whose(who.tenant, who.application)
        yield Whose(who.tenant)


@dataclass(frozen=True, slots=True)
class Approval:
    """That a person has approved a profile. document: its values as JSON, for it is what counts."""

    id: str
    profile: str
    rev: str
    digest: str
    document: str
    approved_by: str
    approved_ms: int
    withdrawn_by: str | None = None
    withdrawn_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That somebody has accepted the terms of a profile for a principal."""

    id: str
    tenant: str
    application: str
    key_id: str
    profile: str
    rev: str
    digest: str
    accepted_by: str
    accepted_as: str
    accepted_ms: int
    expires_ms: int | None = None
    withdrawn_by: str | None = None
    withdrawn_ms: int | None = None

    @property
    def whose(self) -> Whose:
        """For whom."""
        return Whose(self.tenant, self.application, self.key_id)


@dataclass(frozen=True, slots=True)
class Attestation:
    """That somebody says that something holds for a principal. value: of those that have one."""

    id: str
    tenant: str
    application: str
    key_id: str
    name: str
    value: str
    attested_by: str
    attested_as: str
    attested_ms: int
    expires_ms: int | None = None
    withdrawn_by: str | None = None
    withdrawn_ms: int | None = None

    @property
    def whose(self) -> Whose:
        """For whom."""
        return Whose(self.tenant, self.application, self.key_id)

    def holds(self, now_ms: int) -> bool:
        """Whether it counts at this time."""
        return self.withdrawn_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)


Act = Approval | Acceptance | Attestation
T = TypeVar("T", Approval, Acceptance, Attestation)
_TABLES: dict[type[Any], tuple[Table, str]] = {
    Approval: (terms_approval, "approved_ms"),
    Acceptance: (terms_acceptance, "accepted_ms"),
    Attestation: (terms_attestation, "attested_ms"),
}


class Ledger:
    """The three tables. Every call is one short transaction and blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, kind: type[T]) -> list[T]:
        """All acts of one kind, oldest first, the withdrawn ones too."""
        table, at = _TABLES[kind]
        columns = [table.c[each.name] for each in fields(kind)]
        statement = select(*columns).order_by(table.c[at], table.c.id)
        with snapshot(self._engine) as connection:
            return [kind(*row) for row in connection.execute(statement)]

    def add(self, act: Act) -> None:
        """Put an act on the books."""
        table, _ = _TABLES[type(act)]
        with writing(self._engine) as connection:
            connection.execute(insert(table).values(asdict(act)))

    def find(self, id_: str) -> Act | None:
        """The act of this id."""
        found: list[Act] = [*self.all(Approval), *self.all(Acceptance), *self.all(Attestation)]
        return next((act for act in found if act.id == id_), None)

    def withdraw(self, act: Act, *, by: str, now_ms: int) -> bool:
        """Take an act back. False if that was done before."""
        table, _ = _TABLES[type(act)]
        statement = (
            update(table)
            .where(table.c.id == act.id, table.c.withdrawn_ms.is_(None))
            .values(withdrawn_by=by, withdrawn_ms=now_ms)
        )
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount == 1
