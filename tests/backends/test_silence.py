from __future__ import annotations

import asyncio

from gateway.backends._silence import Silence


def broken_off(*waits_s: float, limit_s: float = 0.05, rest_s: float = 0.0) -> list[str]:
    """Wait so long, one after the other, with rests between; what was called."""

    async def main() -> list[str]:
        called: list[str] = []
        with Silence(limit_s, lambda: called.append("gave up")) as silence:
            for wait_s in waits_s:
                silence.begin()
                await asyncio.sleep(wait_s)
                silence.end()
                await asyncio.sleep(rest_s)
        assert silence.broken_off is bool(called)
        await asyncio.sleep(2 * limit_s)
        return called

    return asyncio.run(main())


def test_a_long_wait_is_given_up_once() -> None:
    assert broken_off(0.15) == ["gave up"]


def test_a_long_wait_after_short_ones_is_given_up() -> None:
    assert broken_off(0.01, 0.01, 0.15) == ["gave up"]


def test_short_waits_may_add_up() -> None:
    assert broken_off(*[0.01] * 12, limit_s=0.1) == []


def test_nobody_waiting_is_no_silence() -> None:
    assert broken_off(0.0, rest_s=0.15) == []


def test_nothing_is_called_after_the_end() -> None:
    assert broken_off() == []
