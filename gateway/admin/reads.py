"""Reads of the audit log, each on record itself: no record, no read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from gateway.admin.ports import AdminPorts
from gateway.audit import chain
from gateway.audit.query import READ, Filters, query, show
from gateway.audit.questions import Answer
from gateway.core.errors import ConfigError, RecordUnavailable
from gateway.core.judgement import Principal
from gateway.core.ports import Entry
from gateway.db import failures

MAX_LIMIT = 500
_WORDS = (
    "tenant", "application", "key_id", "model", "provider", "outcome", "kind", "category", "rule",
    "trial",
)  # fmt: skip
_TIMES = ("since_ms", "until_ms")
PARAMETERS = (*_WORDS, *_TIMES, "limit", "after", "order")


@dataclass(frozen=True, slots=True)
class Search:
    """What to read. `used` names the filters, without values: those may name people."""

    filters: Filters
    used: tuple[str, ...]
    limit: int
    after: tuple[int, str] | None
    newest_first: bool


def search(params: QueryParams, *, limit: int = 100) -> Search:
    """A search from a query string; closed exchanges unless `kind` says otherwise.

    Raises HTTPException 400 for a parameter that is not known or has no such value.
    """
    unknown = sorted(set(params) - set(PARAMETERS))
    if unknown:
        raise HTTPException(
            400, f"Unknown parameter {unknown[0][:40]!r}. Known: {', '.join(PARAMETERS)}."
        )
    values: dict[str, Any] = {name: params[name] for name in _WORDS if params.get(name)}
    values |= {name: count(params, name) for name in _TIMES if params.get(name)}
    used = tuple(sorted(values))
    if values.setdefault("kind", chain.CLOSED) == "any":
        del values["kind"]
    if params.get("order", "newest") not in ("newest", "oldest"):
        raise HTTPException(400, "order: expected newest or oldest.")
    wanted = count(params, "limit") if params.get("limit") else limit
    if not 1 <= wanted <= MAX_LIMIT:
        raise HTTPException(400, f"limit: expected a number from 1 to {MAX_LIMIT}.")
    newest = params.get("order", "newest") == "newest"
    return Search(Filters(**values), used, wanted, _place(params.get("after", "")), newest)


async def entries(
    ports: AdminPorts, who: Principal, found: Search, *, via: str
) -> list[dict[str, Any]]:
    """The entries, once the read is on record. Raises HTTPException 503 if either fails.

    Only an admin sees the entries of other tenants.
    """
    filters = found.filters if sees_all(who) else replace(found.filters, tenant=who.tenant)

    def read() -> list[dict[str, Any]]:
        return list(
            query(
                ports.engine,
                filters,
                limit=found.limit,
                after=found.after,
                newest_first=found.newest_first,
            )
        )

    rows: list[dict[str, Any]] = await _read(ports, read)
    await _record(ports, who, "", via=via, filters=found.used, count=len(rows))
    return rows


async def asked(
    ports: AdminPorts, who: Principal, read: Callable[[], Answer], *, question: str
) -> Answer:
    """The answer to a saved question, once the read is on record. Raises HTTPException 503."""
    found: Answer = await _read(ports, read)
    await _record(ports, who, "", via="api", filters=("question", question), count=len(found.rows))
    return found


async def exchange(ports: AdminPorts, who: Principal, exchange_id: str) -> dict[str, Any]:
    """One exchange. Raises HTTPException: 400, 404 or 503."""
    try:
        found = await _read(ports, lambda: show(ports.engine, exchange_id))
    except ConfigError as err:
        raise HTTPException(400, str(err)) from err
    if found is None or not (sees_all(who) or _tenant(found) == who.tenant):
        raise HTTPException(404, "There is no such exchange.")
    await _record(ports, who, found["id"], via="api", filters=("exchange_id",), count=1)
    return dict(found)


def sees_all(who: Principal) -> bool:
    """Whether what other tenants did is shown, too."""
    return "admin" in who.roles


def _tenant(found: dict[str, Any]) -> str:
    entry = found.get("closed") or found.get("opened") or {}
    return str(entry.get("tenant", ""))


def place(rows: Sequence[dict[str, Any]], limit: int) -> str | None:
    """Where the next page starts, for the parameter `after`; None if this is the last."""
    return f"{rows[-1]['ts_ms']}.{rows[-1]['id']}" if len(rows) == limit else None


async def _read(ports: AdminPorts, read: Any) -> Any:
    try:
        return await asyncio.to_thread(read)
    except failures(ports.engine) as err:
        raise HTTPException(503, "The database does not answer.") from err


async def _record(
    ports: AdminPorts,
    who: Principal,
    exchange_id: str,
    *,
    via: str,
    filters: Sequence[str],
    count: int,
) -> None:
    entry = Entry(
        exchange_id=exchange_id,
        kind=READ,
        core={"via": via, "filters": list(filters), "count": count},
        tenant=who.tenant,
        application=who.application,
        key_id=who.key_id,
    )
    try:
        await ports.sink.append(entry)
    except RecordUnavailable as err:
        raise HTTPException(503, "The log cannot record this read, so it is refused.") from err


def count(params: QueryParams, name: str) -> int:
    """A parameter that is a whole number. Raises HTTPException 400."""
    text = params[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise HTTPException(400, f"{name}: expected a whole number.")
    return int(text)


def _place(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    ts_ms, _, entry_id = text.partition(".")
    if not (ts_ms.isascii() and ts_ms.isdigit() and len(ts_ms) <= 15 and entry_id):
        raise HTTPException(400, "after: expected `next` of the page before.")
    return int(ts_ms), entry_id
