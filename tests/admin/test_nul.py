"""NUL in an address: refused with a reason, whatever the database makes of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway import db
from gateway.admin import asking, reads
from tests.admin.house import House, house

EXCHANGES = "/admin/v1/exchanges"
QUESTIONS = "/admin/v1/audit/questions"

ADDRESSES = [
    *(f"{EXCHANGES}?{name}=%00" for name in reads.PARAMETERS),
    f"{EXCHANGES}?application=chat%00bot",
    f"{EXCHANGES}?after=1.%00",
    f"{EXCHANGES}?%00=x",
    f"{EXCHANGES}/00000001%00",
    *(f"{QUESTIONS}/usage?{name}=%00" for name in asking.PARAMETERS),
    f"{QUESTIONS}/subject?subject=%00",
    f"{QUESTIONS}/usage%00",
    *(f"/admin/v1/reviews?{name}=%00" for name in ("state", "limit", "after")),
    "/admin/v1/reviews/%00",
    "/?outcome=%00",
]


def test_nul_in_an_address_is_refused_with_a_reason(database_url: str) -> None:
    async def test(made: House) -> None:
        for address in ADDRESSES:
            answer = await made.client.get(address, headers=made.bearer("admin"))
            assert answer.status_code == 400, address
            assert "NUL (%00)" in answer.json()["error"]["message"], address
            assert answer.headers["cache-control"] == "no-store"
        assert made.sink.entries == []

    _within(database_url, test)


@pytest.mark.parametrize("value", ["%2500", "%", "%0", "0%C0%80", "%5Cu0000"])
def test_what_only_looks_like_nul_is_asked_for(database_url: str, value: str) -> None:
    async def test(made: House) -> None:
        found = await made.client.get(
            f"{EXCHANGES}?application={value}", headers=made.bearer("admin")
        )
        assert (found.status_code, found.json()["entries"]) == (200, [])

    _within(database_url, test)


def _within(url: str, test: Callable[[House], Awaitable[None]]) -> None:
    engine = db.open_engine(url)

    async def whole() -> None:
        async with house(engine) as made:
            await test(made)

    try:
        asyncio.run(whole())
    finally:
        engine.dispose()
