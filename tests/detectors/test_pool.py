from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.detectors._channel import launch
from gateway.detectors._jobs import Outcome, Task
from gateway.detectors._pool import JobFailed, Pool

pytestmark = pytest.mark.usefixtures("fake_installed")


def task(text: str) -> list[Task]:
    return [Task("fake", [text], [["fire"]])]


def use(test: Callable[[Pool], Awaitable[None]], options: Any = None, **settings: Any) -> None:
    """Runs a test with a started pool; afterwards none of its processes is left."""

    async def main() -> None:
        pool = Pool({"fake": options or {}}, **settings)
        await pool.start()
        try:
            await test(pool)
        finally:
            pids = pool.pids
            await pool.aclose()
        assert not any(alive(pid) for pid in pids)

    asyncio.run(main())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def environment(pid: int) -> bytes:
    return Path("/proc", str(pid), "environ").read_bytes()


async def failure(pool: Pool, text: str) -> str:
    with pytest.raises(JobFailed) as caught:
        await pool.run(task(text))
    assert text not in str(caught.value)
    return caught.value.reason


async def until(fact: Callable[[], bool], deadline_s: float = 10.0) -> None:
    end = time.monotonic() + deadline_s
    while not fact():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def test_answers_come_back_in_order() -> None:
    async def test(pool: Pool) -> None:
        answers = await asyncio.gather(*(pool.run(task("x" * n + "fire")) for n in range(50)))
        assert [answer[0].rows[0][0].start for answer in answers] == list(range(50))

    use(test, processes=2)


def test_a_detector_that_raises_spoils_its_own_task_only() -> None:
    async def test(pool: Pool) -> None:
        bad, good = await pool.run(task("raise") + task("fire"))
        assert bad == Outcome([], "RuntimeError")
        assert len(good.rows[0]) == 1

    use(test)


def test_a_late_job_fails_and_its_worker_is_replaced() -> None:
    async def test(pool: Pool) -> None:
        (before,) = pool.pids
        assert await failure(pool, "sleep") == "late"
        assert not pool.ready
        await until(lambda: pool.ready)
        assert pool.pids != [before]
        assert (await pool.run(task("fire")))[0].rows[0]

    use(test, deadline_s=0.4)


def test_the_deadline_covers_waiting() -> None:
    async def test(pool: Pool) -> None:
        jobs = [failure(pool, "nap sleep"), failure(pool, "fire")]
        assert await asyncio.gather(*jobs) == ["late", "late"]

    use(test, deadline_s=0.3)


def test_who_is_in_a_hurry_waits_less_and_takes_no_worker_from_others() -> None:
    async def test(pool: Pool) -> None:
        before = pool.pids
        with pytest.raises(JobFailed) as caught:
            await pool.run(task("nap"), 0.05)
        assert caught.value.reason == "late"
        assert (await pool.run(task("fire")))[0].rows[0]
        assert pool.pids == before

    use(test)


def test_a_longer_deadline_than_any_has_counts_for_nothing() -> None:
    async def test(pool: Pool) -> None:
        with pytest.raises(JobFailed) as caught:
            await pool.run(task("sleep"), 60)
        assert caught.value.reason == "late"

    use(test, deadline_s=0.3)


def test_a_dead_worker_fails_its_job_and_is_replaced() -> None:
    async def test(pool: Pool) -> None:
        assert await failure(pool, "please die") == "died"
        await until(lambda: pool.ready)
        os.kill(pool.pids[0], signal.SIGKILL)
        await until(lambda: not pool.ready)
        await until(lambda: pool.ready)
        assert (await pool.run(task("fire")))[0].rows[0]

    use(test)


def test_a_full_queue_refuses_at_once() -> None:
    async def test(pool: Pool) -> None:
        waiting = [asyncio.ensure_future(pool.run(task("nap"))) for _ in range(3)]
        await asyncio.sleep(0)
        started = time.monotonic()
        assert await failure(pool, "fire") == "full"
        assert time.monotonic() - started < 0.1
        await asyncio.gather(*waiting)

    use(test, max_waiting=2)


def test_a_worker_that_grows_is_replaced_without_losing_a_job() -> None:
    async def test(pool: Pool) -> None:
        (before,) = pool.pids
        for _ in range(3):
            await pool.run(task("grow"))
        while pool.pids == [before] or len(pool.pids) > 1:
            await pool.run(task("nap"))
        assert pool.ready

    use(test, rss_limit_bytes=150 * 1024 * 1024)


def test_a_caller_that_leaves_does_not_leave_a_stuck_worker() -> None:
    async def test(pool: Pool) -> None:
        (before,) = pool.pids
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.run(task("sleep")), 0.05)
        await until(lambda: before not in pool.pids and pool.ready)

    use(test, deadline_s=0.4)


def test_big_jobs_pass() -> None:
    async def test(pool: Pool) -> None:
        texts = ["y" * 1_000_000 + "fire"] * 3
        (outcome,) = await pool.run([Task("fake", texts, [["fire"]] * 3)])
        assert [rows[0].start for rows in outcome.rows] == [1_000_000] * 3

    use(test)


def test_what_cannot_be_loaded_is_said_at_the_start() -> None:
    with pytest.raises(ConfigError, match="the fake model is not installed"):
        use(lambda pool: asyncio.sleep(0), {"broken": True})
    with pytest.raises(ConfigError, match="end while loading"):
        use(lambda pool: asyncio.sleep(0), {"dies": True})


def test_closing_fails_what_is_under_way() -> None:
    async def test(pool: Pool) -> None:
        jobs = [asyncio.ensure_future(failure(pool, "sleep")) for _ in range(2)]
        await asyncio.sleep(0.05)
        await pool.aclose()
        assert await asyncio.gather(*jobs) == ["died", "closed"]
        assert await failure(pool, "fire") == "closed"

    use(test)


def test_workers_ignore_the_keyboard_and_end_with_their_parent() -> None:
    async def test(pool: Pool) -> None:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGINT)
        assert (await pool.run(task("fire")))[0].rows[0]
        (worker,) = pool._workers
        worker.channel._socket.shutdown(2)
        await until(lambda: not alive(pid))

    use(test)


def test_workers_see_no_keys_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER_API_KEY", "not for workers")

    async def test(pool: Pool) -> None:
        (pid,) = pool.pids
        assert b"not for workers" not in environment(pid)

    use(test)


def test_a_worker_that_was_launched_early_is_the_first_to_be_used() -> None:
    async def test() -> None:
        launched = launch(["json", "no.such.library"])
        pool = Pool({"fake": {}}, launched=launched)
        try:
            await pool.start()
            assert pool.pids == [launched.process.pid]
        finally:
            await pool.aclose()
        assert launched.process.returncode is not None

    asyncio.run(test())
