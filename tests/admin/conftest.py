"""Runs a test inside an admin app of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from gateway import db
from tests.admin.house import House, Within, house


@pytest.fixture
def within(sqlite_url: str) -> Iterator[Within]:
    engine = db.open_engine(sqlite_url)

    def run(test: Callable[[House], Awaitable[None]], **given: Any) -> None:
        async def whole() -> None:
            async with house(engine, **given) as made:
                await test(made)

        asyncio.run(whole())

    yield run
    engine.dispose()
