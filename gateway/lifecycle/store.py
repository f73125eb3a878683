"""Bundles and acts in SQL. Every call is one short transaction and blocks."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from sqlalchemy import Engine, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.core.canonical import canonical
from gateway.core.note import Note, NoteError
from gateway.db import snapshot, writing
from gateway.lifecycle.acts import Act, ActRefused, What
from gateway.lifecycle.bundles import BundleRefused, SignedBundle
from gateway.lifecycle.tables import policy_act, policy_bundle
from gateway.signing import Signer, require

_FORM = "gateway/policy-act/v1"
_START = "start"


class Store:
    """signer: signs what is added; what is read must have been signed by the same key."""

    def __init__(self, engine: Engine, signer: Signer) -> None:
        self._engine = engine
        self._signer = signer

    def last(self) -> int:
        """The number of the last act; 0 if there is none."""
        with snapshot(self._engine) as connection:
            return connection.execute(select(func.max(policy_act.c.n))).scalar() or 0

    def acts(self) -> list[Act]:
        """All acts in order. Raises BundleRefused if one is missing or not as it was signed."""
        with snapshot(self._engine) as connection:
            rows = connection.execute(select(policy_act).order_by(policy_act.c.n)).all()
        found: list[Act] = []
        before = _START
        for n, row in enumerate(rows, 1):
            act = _act(row)
            if act.n != n or not self._holds(row.note, _text(act, before)):
                raise BundleRefused(
                    f"The record of policies is not as it was signed, from act {n} on."
                )
            found.append(act)
            before = row.note
        return found

    def append(self, act: Act) -> None:
        """Add the next act. Raises ActRefused if another one came first."""
        columns = policy_act.c
        with snapshot(self._engine) as connection:
            statement = select(columns.note).where(columns.n == act.n - 1)
            before = connection.execute(statement).scalar() or _START
        note = str(self._signer.sign(_text(act, before)))
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(policy_act).values(**_values(act), note=note))
        except IntegrityError as err:
            raise ActRefused(
                "Somebody else did something at the same moment, so nothing was done. "
                "See: gateway policy status"
            ) from err

    def put(self, bundle: SignedBundle, *, now_ms: int, who: str) -> None:
        """Keep a bundle; the same one again changes nothing."""
        values: dict[str, object] = {"created_ms": now_ms, "created_by": who}
        values |= {"digest": bundle.digest, "sources": bundle.sources, "note": bundle.note}
        known = select(policy_bundle.c.digest).where(policy_bundle.c.digest == bundle.digest)
        with writing(self._engine) as connection:
            if connection.execute(known).first() is None:
                connection.execute(insert(policy_bundle).values(**values))

    def get(self, digest: str) -> SignedBundle | None:
        """The bundle; None if there is none. What it says must still be checked."""
        statement = select(policy_bundle).where(policy_bundle.c.digest == digest)
        with snapshot(self._engine) as connection:
            row = connection.execute(statement).first()
        return SignedBundle(row.digest, row.sources, row.note) if row else None

    def texts(self, digest: str) -> list[tuple[str, str]]:
        """What a bundle is compiled from. Raises BundleRefused, also if there is none."""
        found = self.get(digest)
        if found is None:
            raise BundleRefused(f"Bundle {digest[:12]} is not in the database.")
        return found.texts(self._signer.key)

    def _holds(self, note: str, text: str) -> bool:
        try:
            found = Note.parse(note)
            require(found, self._signer.key)
        except NoteError:
            return False
        return found.text == text


def _values(act: Act) -> dict[str, object]:
    return {f.name: getattr(act, f.name) for f in fields(act)}


def _act(row: Row[tuple[object, ...]]) -> Act:
    said = row._asdict()
    return Act(**{f.name: said[f.name] for f in fields(Act)} | {"what": What(said["what"])})


def _text(act: Act, before: str) -> str:
    link = hashlib.sha256(before.encode()).hexdigest()
    return f"{_FORM}\n{canonical(_values(act))}\nafter {link}\n"
