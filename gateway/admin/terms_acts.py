"""Acts on terms of use by people with the role `admin`, each on record before it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

from gateway.admin.access import reading
from gateway.admin.ports import AdminPorts
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.ports import Entry
from gateway.db import failures
from gateway.identity.strangers import doubt
from gateway.terms.acts import By, Desk, Plan
from gateway.terms.ledger import Acceptance, Act, Approval, Attestation, Whose
from gateway.terms.telling import act, brief, whole

_FOR = ("tenant", "application", "key_id", "as", "days")
# What each act is told; the first is required.
VERBS: Mapping[str, tuple[str, ...]] = {
    "approve": ("profile", "rev"),
    "accept": ("profile", "rev", *_FOR),
    "attest": ("fact", *_FOR),
    "withdraw": ("id",),
}


class Terms:
    """What the API and the page do. Raises HTTPException for what cannot be done."""

    def __init__(self, ports: AdminPorts) -> None:
        self._ports = ports
        self._failures = failures(ports.engine)

    async def profiles(self, who: Principal) -> list[dict[str, Any]]:
        """All profiles in full, for readers."""
        reading(who)
        found = await self._asked(self._ports.terms.profiles)
        return [whole(each) for each in found.values()]

    async def listing(self, who: Principal) -> list[dict[str, Any]]:
        """All profiles in brief, for readers."""
        reading(who)
        return [brief(each) for each in (await self._asked(self._ports.terms.profiles)).values()]

    async def show(self, who: Principal, id_: str) -> dict[str, Any]:
        """One profile in full, for readers."""
        reading(who)
        return whole(await self._asked(self._ports.terms.profile, id_))

    async def acts(self, who: Principal) -> list[dict[str, Any]]:
        """All that was done, oldest first; who is no admin sees its own tenant's."""
        reading(who)
        ledger = self._ports.terms.ledger
        done: list[Act] = []
        for kind in (Approval, Acceptance, Attestation):
            done += await self._asked(ledger.all, kind)
        told = [act(each) for each in done]
        every = "admin" in who.roles
        return [each for each in told if every or each.get("tenant", who.tenant) == who.tenant]

    async def do(self, who: Principal, verb: str, said: Mapping[str, str]) -> dict[str, Any]:
        """One act. said: as VERBS has it; what is empty counts as left out."""
        if "admin" not in who.roles:
            raise HTTPException(403, "Only a key with the role admin acts on terms of use.")
        plan: Plan = await self._asked(_plan, self._ports.terms, who, verb, said)
        entry = Entry(
            exchange_id="",
            kind=plan.kind,
            core={"via": "admin", **plan.core},
            tenant=who.tenant,
            application=who.application,
            key_id=who.key_id,
        )
        try:
            await self._ports.sink.append(entry)
        except RecordUnavailable as err:
            raise HTTPException(503, "The log cannot record this, so it was not done.") from err
        await self._asked(plan.carry_out)
        warning = await self._asked(self._doubt, plan)
        told = {"warning": warning} if warning else {}
        return {"id": plan.id, "kind": plan.kind, **plan.core, **told}

    def _doubt(self, plan: Plan) -> str:
        """What is strange about whom an act is for."""
        whose = plan.core.get("for")
        if whose is None:
            return ""
        infos = self._ports.keys.list()
        return doubt(infos, whose["tenant"], whose["application"], whose["key_id"])

    async def _asked(self, ask: Any, *given: Any) -> Any:
        try:
            return await asyncio.to_thread(ask, *given)
        except ConfigError as err:
            raise HTTPException(409, str(err)) from err
        except self._failures as err:
            raise HTTPException(503, "The database does not answer.") from err


def _plan(desk: Desk, who: Principal, verb: str, said: Mapping[str, str]) -> Plan:
    by = By(who.name, said.get("as", ""), _days(said.get("days", "")))
    whose = Whose(
        said.get("tenant") or who.tenant, said.get("application", ""), said.get("key_id", "")
    )
    if verb == "approve":
        return desk.approve(said["profile"], by, rev=said.get("rev", ""))
    if verb == "accept":
        return desk.accept(said["profile"], whose, by, rev=said.get("rev", ""))
    if verb == "attest":
        return desk.attest(said["fact"], whose, by)
    return desk.withdraw(said["id"], by)


def _days(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise ConfigError("days: expected a whole number.")
    return int(text)


def checked(verb: str, value: Any) -> dict[str, str]:
    """What was sent for an act. Raises HTTPException: 404 no such act, 400 not what it takes."""
    if verb not in VERBS:
        raise HTTPException(404, f"Terms take {', '.join(VERBS)}.")
    needed, *more = VERBS[verb]
    if not isinstance(value, dict) or not value.get(needed) or set(value) - {needed, *more}:
        names = ", ".join(more)
        and_maybe = f" and, if it matters, {names}" if more else ""
        raise HTTPException(400, f"{verb}: expected {needed!r}{and_maybe}.")
    if not all(isinstance(each, str | int) and len(str(each)) <= 200 for each in value.values()):
        raise HTTPException(400, f"{verb}: expected short texts.")
    return {key: str(each) for key, each in value.items()}
