from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.backends._circuit import CircuitBackend, Limits
from gateway.core.apis import Answer
from gateway.core.calls import Outgoing
from gateway.core.errors import CircuitOpen, UpstreamError, UpstreamTimeout
from gateway.core.ports import Counters

CALL = Outgoing(b"{}", "openai_chat", "/v1/chat/completions")


class Clock:
    ms = 0.0

    def now_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> float:
        return self.ms


class Upstream:
    """Answers with the statuses it is told to give; an exception is raised."""

    def __init__(self) -> None:
        self.calls = 0
        self.next: int | BaseException = 200
        self.waits: asyncio.Event | None = None

    def speaks(self, dialect: str) -> bool:
        return dialect == "openai_chat"

    async def send(self, call: Outgoing) -> Answer:
        self.calls += 1
        told = self.next
        if self.waits is not None:
            await self.waits.wait()
        if isinstance(told, BaseException):
            raise told
        return Answer(told, {}, None, None)  # type: ignore[arg-type]

    async def aclose(self) -> None:
        self.calls = -1


class Set:
    """A circuit in front of an upstream, with three failures and ten seconds."""

    def __init__(self, failures: int = 3) -> None:
        self.clock, self.upstream, self.counters = Clock(), Upstream(), Counters()
        limits = Limits(failures, 10.0)
        self.backend = CircuitBackend(self.upstream, "b", limits, self.clock, self.counters)

    async def sends(self, *told: int | BaseException) -> list[str]:
        """What each call came to: its status, the error's name, or "open"."""
        found = []
        for one in told:
            self.upstream.next = one
            try:
                found.append(str((await self.backend.send(CALL)).status))
            except CircuitOpen as err:
                found.append(f"open {err.retry_after_s}")
            except Exception as err:  # noqa: BLE001 - any, by name
                found.append(type(err).__name__)
        return found


def sends(made: Set, *told: int | BaseException) -> list[str]:
    return asyncio.run(made.sends(*told))


FAILURES: list[Any] = [500, 502, 503, 529, UpstreamError("x"), UpstreamTimeout("x")]
WELL = [200, 400, 401, 403, 404, 408, 413, 429, 501]


@pytest.mark.parametrize("told", FAILURES)
def test_failures_in_a_row_open_it(told: Any) -> None:
    made = Set()
    assert sends(made, told, told, told, 200)[3] == "open 10"
    assert made.upstream.calls == 3
    assert made.counters.values == {
        'circuit_open{backend="b"}': 1,
        'circuit_opened_total{backend="b"}': 1,
    }


@pytest.mark.parametrize("told", WELL)
def test_what_is_no_failure_breaks_the_row(told: int) -> None:
    made = Set()
    assert "open" not in " ".join(sends(made, 500, 500, told, 500, 500, told, *[told] * 9))


def test_one_call_goes_through_after_the_rest_and_its_success_closes_it() -> None:
    made = Set()
    sends(made, 500, 500, 500)
    made.clock.ms = 9_999
    assert sends(made, 200) == ["open 1"]
    made.clock.ms = 10_000
    assert sends(made, 200, 500, 500, 200) == ["200", "500", "500", "200"]
    assert made.counters.values['circuit_open{backend="b"}'] == 0


def test_a_probe_that_came_too_often_closes_it_too() -> None:
    made = Set()
    sends(made, 500, 500, 500)
    made.clock.ms = 10_000
    assert sends(made, 429, 429, 429, 200) == ["429", "429", "429", "200"]


def test_a_failed_probe_opens_it_for_another_rest() -> None:
    made = Set()
    sends(made, 500, 500, 500)
    made.clock.ms = 12_000
    assert sends(made, 500, 200) == ["500", "open 10"]
    made.clock.ms = 22_000
    assert sends(made, 200) == ["200"]
    assert made.counters.values['circuit_opened_total{backend="b"}'] == 1


async def half_open() -> tuple[Set, asyncio.Task[list[str]]]:
    """A circuit whose probe is on its way."""
    made = Set()
    await made.sends(500, 500, 500)
    made.clock.ms = 10_000
    made.upstream.waits = asyncio.Event()
    probe = asyncio.create_task(made.sends(200))
    await asyncio.sleep(0)
    return made, probe


def test_while_a_probe_is_on_its_way_nothing_else_goes_through() -> None:
    async def main() -> tuple[list[str], list[str], int]:
        made, probe = await half_open()
        meanwhile = await made.sends(200, 200)
        assert made.upstream.waits
        made.upstream.waits.set()
        return meanwhile, await probe, made.upstream.calls

    assert asyncio.run(main()) == (["open 1", "open 1"], ["200"], 4)


def test_a_probe_whose_client_leaves_makes_way_for_the_next() -> None:
    async def main() -> list[str]:
        made, probe = await half_open()
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert made.backend.circuit.open
        made.upstream.waits = None
        return await made.sends(200)

    assert asyncio.run(main()) == ["200"]


def test_calls_that_began_before_it_opened_change_nothing() -> None:
    async def main(late: int) -> Set:
        made = Set()
        made.upstream.waits = asyncio.Event()
        slow = asyncio.create_task(made.sends(late))
        await asyncio.sleep(0)
        made.upstream.waits, gate = None, made.upstream.waits
        await made.sends(500, 500, 500)
        made.clock.ms = 5_000
        gate.set()
        await slow
        return made

    for late in (200, 500):
        made = asyncio.run(main(late))
        assert sends(made, 200) == ["open 5"]


def test_a_bug_and_a_client_that_leaves_say_nothing_of_the_upstream() -> None:
    made = Set()
    assert sends(made, 500, 500, KeyError(), KeyError(), 500, 200)[-1].startswith("open")


def test_a_circuit_of_no_failures_never_opens() -> None:
    made = Set(failures=0)
    assert "open" not in " ".join(sends(made, *[500] * 20))


def test_it_speaks_and_closes_as_the_backend_does() -> None:
    made = Set()
    assert (made.backend.speaks("openai_chat"), made.backend.speaks("x")) == (True, False)
    asyncio.run(made.backend.aclose())
    assert made.upstream.calls == -1
