from __future__ import annotations

import asyncio

import pytest

from gateway.core.together import together

ENDED: list[str] = []


async def slow(name: str) -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ENDED.append(name)
        raise
    return name


async def quick(name: str) -> str:
    await asyncio.sleep(0)
    return name


async def wrong() -> str:
    await asyncio.sleep(0)
    raise ValueError("x")


def test_results_come_in_order() -> None:
    assert asyncio.run(together([quick("a"), quick("b")])) == ["a", "b"]


def test_one_that_fails_ends_the_others() -> None:
    ENDED.clear()
    with pytest.raises(ValueError, match="x"):
        asyncio.run(together([slow("a"), wrong(), slow("b")]))
    assert ENDED == ["a", "b"]
