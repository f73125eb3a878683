"""A bounded pool of detection workers: one job each, first come first served.

A job has a deadline that covers waiting. A late worker is killed and replaced, a full
queue refuses at once, a worker that has grown too large is replaced by a fresh one. No
task is started; everything happens in callbacks of the event loop.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.errors import ConfigError
from gateway.detectors._channel import Channel, Launched
from gateway.detectors._jobs import (
    Answer,
    Loaded,
    Outcome,
    Setup,
    Task,
    answer_decoder,
    loaded_decoder,
    pack,
)
from gateway.detectors._sieve import OPEN, Sieve

LOAD_DEADLINE_S = 120.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
START_ATTEMPTS = 3


class JobFailed(Exception):
    """A job came to nothing. `reason`: late, full, died, closed; never what was in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(eq=False, slots=True)
class _Job:
    frame: bytes
    future: asyncio.Future[list[Outcome]]
    timer: asyncio.TimerHandle | None = None
    worker: _Worker | None = None
    given_s: float = 0.0


@dataclass(eq=False, slots=True)
class _Worker:
    channel: Channel | None = None
    loaded: bool = False
    job: _Job | None = None
    timer: asyncio.TimerHandle | None = None
    successor: _Worker | None = field(default=None, repr=False)


class Pool:
    """Worker processes for one set of detectors."""

    def __init__(
        self,
        enabled: Mapping[str, Mapping[str, Any]],
        *,
        processes: int = 1,
        deadline_s: float = 5.0,
        max_waiting: int = 256,
        rss_limit_bytes: int = 0,
        unsure: Mapping[str, float] | None = None,
        sieve: Sieve = OPEN,
        launched: Launched | None = None,
    ) -> None:
        """enabled: options by name of detector. rss_limit_bytes: 0 for no limit. unsure, sieve: as
        in `Setup`.

        launched: a worker process that is on its way already; the first to be used.
        """
        options = {name: dict(value) for name, value in enabled.items()}
        self._setup = pack(Setup(options, deadline_s * 2, dict(unsure or {}), sieve))
        self._processes = processes
        self._deadline_s = deadline_s
        self._max_waiting = max_waiting
        self._rss_limit_bytes = rss_limit_bytes
        self._launched = launched
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._waiting: deque[_Job] = deque()
        self._pauses: set[asyncio.TimerHandle] = set()
        self._reaping: set[asyncio.Future[None]] = set()
        self._failures = 0
        self._closed = True
        self._first: asyncio.Future[Loaded] | None = None
        self.problem = "not started"

    @property
    def ready(self) -> bool:
        """Whether a worker could take a job, now or after the one it has."""
        return any(worker.loaded for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.channel.pid for worker in self._workers if worker.channel]

    async def start(self) -> Loaded:
        """Starts the workers; returns when all have loaded, with what the first one said.

        Raises ConfigError if detectors cannot be loaded.
        """
        self._closed = False
        self.problem = "loading"
        loop = asyncio.get_running_loop()
        self._first = loop.create_future()
        for _ in range(self._processes):
            self._spawn()
        try:
            return await asyncio.wait_for(asyncio.shield(self._first), LOAD_DEADLINE_S)
        except TimeoutError as err:
            await self.aclose()
            raise ConfigError(f"The detectors did not load within {LOAD_DEADLINE_S:g} s.") from err
        except BaseException:
            await self.aclose()
            raise

    async def run(self, tasks: list[Task], deadline_s: float = math.inf) -> list[Outcome]:
        """One outcome for each task. Raises JobFailed.

        deadline_s: how long it may take, if less than any job may.
        """
        if self._closed:
            raise JobFailed("closed")
        if not self._idle and len(self._waiting) >= self._max_waiting:
            raise JobFailed("full")
        loop = asyncio.get_running_loop()
        job = _Job(pack(tasks), loop.create_future())
        job.timer = loop.call_later(min(deadline_s, self._deadline_s), self._late, job)
        if self._idle:
            self._give(self._idle.pop(), job)
        else:
            self._waiting.append(job)
        try:
            return await job.future
        finally:
            # A caller that leaves does not free the worker: its deadline stays.
            if job.worker is None or job.worker.job is not job:
                job.timer.cancel()
            if job.worker is None and job in self._waiting:
                self._waiting.remove(job)

    async def aclose(self) -> None:
        """Ends all workers and waits until they are gone. Jobs under way fail."""
        self._closed = True
        self.problem = "closed"
        for pause in self._pauses:
            pause.cancel()
        self._pauses.clear()
        while self._waiting:
            self._fail(self._waiting.popleft(), "closed")
        for worker in list(self._workers):
            if worker.channel:
                worker.channel.close()
        if self._reaping:
            await asyncio.shield(asyncio.wait(set(self._reaping)))

    def _spawn(self) -> _Worker:
        worker = _Worker()
        self._workers.add(worker)
        loop = asyncio.get_running_loop()
        worker.channel = Channel(
            on_frame=lambda _, body: self._frame(worker, body),
            on_gone=lambda channel: self._gone(worker, channel),
            launched=self._launched,
        )
        self._launched = None
        worker.timer = loop.call_later(LOAD_DEADLINE_S, worker.channel.close)
        worker.channel.send(self._setup)
        return worker

    def _frame(self, worker: _Worker, body: bytes) -> None:
        if not worker.loaded:
            self._hello(worker, loaded_decoder.decode(body))
            return
        job, worker.job = worker.job, None
        if job and job.timer:
            job.timer.cancel()
        answer = answer_decoder.decode(body)
        self._failures = 0
        if job and not job.future.done():
            job.future.set_result(answer.outcomes)
        self._after(worker, answer)

    def _after(self, worker: _Worker, answer: Answer) -> None:
        """Takes the next job; a worker that has grown too large first gets a successor."""
        if 0 < self._rss_limit_bytes < answer.rss_bytes and worker.successor is None:
            worker.successor = self._spawn()
        if worker.successor and worker.successor.loaded and worker.channel:
            worker.channel.close()
        else:
            self._next(worker)

    def _hello(self, worker: _Worker, loaded: Loaded) -> None:
        if worker.timer:
            worker.timer.cancel()
        if loaded.error:
            self.problem = loaded.error
            if self._first and not self._first.done():
                self._first.set_exception(ConfigError(loaded.error))
            return
        worker.loaded = True
        self._next(worker)
        for old in list(self._workers):
            if old.successor is worker and old in self._idle and old.channel:
                old.channel.close()
        if self._first and not self._first.done() and len(self._loaded()) >= self._processes:
            self.problem = ""
            self._first.set_result(loaded)

    def _loaded(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.loaded]

    def _next(self, worker: _Worker) -> None:
        while self._waiting:
            job = self._waiting.popleft()
            if not job.future.done():
                self._give(worker, job)
                return
        self._idle.append(worker)

    def _give(self, worker: _Worker, job: _Job) -> None:
        worker.job = job
        job.worker = worker
        job.given_s = asyncio.get_running_loop().time()
        if worker.channel:
            worker.channel.send(job.frame)

    def _late(self, job: _Job) -> None:
        """The deadline of a job: it fails. A worker that had it all the time is stuck.

        One that got it late, because others were before it, may still finish it in its time.
        """
        self._fail(job, "late")
        worker = job.worker
        if not (worker and worker.job is job and worker.channel):
            return
        loop = asyncio.get_running_loop()
        left_s = job.given_s + self._deadline_s - loop.time()
        if left_s > 0.001:
            job.timer = loop.call_later(left_s, self._late, job)
        else:
            worker.channel.close()

    def _fail(self, job: _Job, reason: str) -> None:
        if not job.future.done():
            job.future.set_exception(JobFailed(reason))

    def _gone(self, worker: _Worker, channel: Channel) -> None:
        """A worker has ended, whoever wanted it: its job fails, another one takes its place."""
        self._workers.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.timer:
            worker.timer.cancel()
        if worker.job:
            self._fail(worker.job, "died")
        reaped = asyncio.get_running_loop().run_in_executor(None, channel.reap)
        self._reaping.add(reaped)
        reaped.add_done_callback(self._reaping.discard)
        replaces = [old for old in self._workers if old.successor is worker]
        for old in replaces:
            old.successor = None
        if not (self._closed or replaces or worker.successor):
            self._respawn()

    def _respawn(self) -> None:
        if self._first and not self._first.done() and self._failures >= START_ATTEMPTS:
            self._first.set_exception(ConfigError("The detection workers end while loading."))
            return
        pause_s = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S) if self._failures else 0.0
        self._failures += 1
        loop = asyncio.get_running_loop()

        def start() -> None:
            self._pauses.discard(handle)
            self._spawn()

        handle = loop.call_later(pause_s, start)
        self._pauses.add(handle)
