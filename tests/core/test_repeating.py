"""What is done again and again is done until it is closed, and waits before the first time."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.repeating import Repeating


@pytest.mark.parametrize(("at_once", "first"), [(False, 0), (True, 1)])
def test_it_is_done_again_and_again(at_once: bool, first: int) -> None:
    async def scenario() -> None:
        done: list[int] = []
        enough = asyncio.Event()

        async def act() -> None:
            done.append(1)
            if len(done) == 3:
                enough.set()

        repeating = Repeating(act, every_s=0.01, name="test", at_once=at_once)
        repeating.start()
        await asyncio.sleep(0)
        assert len(done) == first
        await asyncio.wait_for(enough.wait(), 10)
        await repeating.aclose()
        before = len(done)
        await asyncio.sleep(0.05)
        assert len(done) == before

    asyncio.run(scenario())


def test_it_is_closed_in_the_middle_also_twice_or_before_it_has_begun() -> None:
    async def scenario() -> None:
        begun = asyncio.Event()

        async def act() -> None:
            begun.set()
            await asyncio.sleep(3_600)

        repeating = Repeating(act, every_s=0, name="test")
        await repeating.aclose()
        repeating.start()
        await asyncio.wait_for(begun.wait(), 10)
        await repeating.aclose()
        await repeating.aclose()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())
