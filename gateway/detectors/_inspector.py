"""All detectors behind the `Inspector` port: located here, confirmed in worker processes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.canonical import digest
from gateway.core.judgement import Finding
from gateway.core.ports import Detector, Window
from gateway.detectors import create
from gateway.detectors._channel import Launched
from gateway.detectors._jobs import Outcome
from gateway.detectors._locator import Locator
from gateway.detectors._memory import Memory
from gateway.detectors._pool import JobFailed, Pool
from gateway.detectors._questions import Question, Questions, ask, distinct, fired, merge, tasks
from gateway.detectors._sieve import OPEN, Sieve


@dataclass(frozen=True, slots=True)
class Description:
    """A detector as the audit log names it. config: SHA-256 of its options."""

    name: str
    version: str
    config: str
    categories: tuple[str, ...]


def build_inspector(
    enabled: Mapping[str, Mapping[str, Any]],
    *,
    cache_dir: Path,
    processes: int = 1,
    deadline_s: float = 5.0,
    memory_bytes: int = 32 * 1024 * 1024,
    rss_limit_mb: int = 1024,
    max_waiting: int = 256,
    unsure: Mapping[str, float] | None = None,
    sieve: Sieve = OPEN,
    launched: Launched | None = None,
) -> PooledInspector:
    """An inspector that is not started yet.

    enabled: options by name of detector. cache_dir: where compiled triggers are kept; must
    belong to us alone. rss_limit_mb: a worker that holds more is replaced. unsure: by detector,
    the score from which on faint findings are told, marked as such. sieve: sifts what they find.
    Raises ConfigError for an unknown detector or option.
    """
    pool = Pool(
        enabled,
        processes=processes,
        deadline_s=deadline_s,
        max_waiting=max_waiting,
        rss_limit_bytes=rss_limit_mb * 1024 * 1024,
        unsure=unsure,
        sieve=sieve,
        launched=launched,
    )
    return PooledInspector(enabled, pool=pool, cache_dir=cache_dir, memory=Memory(memory_bytes))


class PooledInspector:
    """Follows `gateway.core.ports.Inspector`. Belongs to one event loop."""

    def __init__(
        self,
        enabled: Mapping[str, Mapping[str, Any]],
        *,
        pool: Pool,
        cache_dir: Path,
        memory: Memory,
    ) -> None:
        members = create(enabled)
        self.detectors: Mapping[str, frozenset[str]] = {d.name: d.categories for d in members}
        self.memory = memory
        self.reach_chars = 0
        self._descriptions = tuple(_describe(d, enabled[d.name]) for d in members)
        self._pool = pool
        self._cache_dir = cache_dir
        self._locator: Locator | None = None
        self._everywhere: frozenset[str] = frozenset()
        self._sets: dict[tuple[str, ...], str] = {}

    async def start(self) -> None:
        """Warms the workers and compiles their triggers. Raises ConfigError."""
        loaded = await self._pool.start()
        try:
            self._everywhere = frozenset(n for n, t in loaded.triggers.items() if t is None)
            triggers = {n: t for n, t in loaded.triggers.items() if t is not None}
            self._locator = await asyncio.to_thread(Locator, triggers, self._cache_dir)
        except BaseException:
            await self._pool.aclose()
            raise
        self.reach_chars = self._locator.reach_chars

    async def aclose(self) -> None:
        """Ends the workers and waits for them."""
        await self._pool.aclose()

    @property
    def ready(self) -> bool:
        """Whether windows can be judged now."""
        return self._locator is not None and self._pool.ready

    @property
    def problem(self) -> str:
        """Why it is not ready; empty if it is."""
        return "" if self.ready else self._pool.problem or "no detection worker is up"

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return self._pool.pids

    def describe(self) -> tuple[Description, ...]:
        """The detectors, for the audit log."""
        return self._descriptions

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        """Where to look for these detectors in the text, ascending."""
        return self._started().locate(text, detectors)

    def everywhere(self, detectors: Collection[str]) -> bool:
        """Whether one of these detectors must see every segment."""
        return not self._everywhere.isdisjoint(detectors)

    async def inspect(
        self,
        windows: Sequence[Window],
        detectors: Collection[str],
        *,
        deadline_s: float = math.inf,
    ) -> list[list[Finding]]:
        """Findings that end in each window's own stretch, offsets in its text."""
        out: list[list[Finding]] = [[] for _ in windows]
        names = tuple(sorted(set(detectors) & self.detectors.keys()))
        questions, keys = self._ask(windows, names, out)
        if not questions:
            return out
        failed = await self._answer(questions, out, deadline_s)
        for index, key in keys.items():
            out[index] = distinct(out[index])
            if index not in failed:
                self.memory.put(key, tuple(out[index]))
        return out

    def _ask(
        self, windows: Sequence[Window], names: tuple[str, ...], out: list[list[Finding]]
    ) -> tuple[Questions, dict[int, bytes]]:
        """What is not known yet, by detector, and where to remember the answers.

        What is known goes into `out`. Windows in which nothing fires are not worth
        remembering.
        """
        models = [name for name in names if name in self._everywhere]
        questions: dict[str, list[Question]] = {}
        keys: dict[int, bytes] = {}
        found = fired(windows, names, self._started())
        for index, (window, hinted) in enumerate(zip(windows, found, strict=True)):
            if window.own_start >= window.own_end or not (hinted or models):
                continue
            key = self.memory.key(window, self._set(names))
            known = self.memory.get(key)
            if known is not None:
                out[index] = list(known)
                continue
            keys[index] = key
            ask(questions, index, window, found=hinted, models=models)
        return questions, keys

    async def _answer(
        self, questions: Questions, out: list[list[Finding]], deadline_s: float
    ) -> set[int]:
        """Adds the answers to `out`; returns the indexes of windows where a detector failed.

        Models are a job of their own: when they are late, the rest is not.
        """
        models = {n: q for n, q in questions.items() if n in self._everywhere}
        others = {n: q for n, q in questions.items() if n not in self._everywhere}
        groups = [group for group in (others, models) if group]
        if len(groups) == 1:
            answers = [await self._job(groups[0], deadline_s)]
        else:
            answers = await asyncio.gather(*(self._job(group, deadline_s) for group in groups))
        failed: set[int] = set()
        for outcomes in answers:
            for name, outcome in outcomes.items():
                if not merge(name, questions[name], outcome, self.detectors[name], out):
                    failed |= {question.index for question in questions[name]}
        return failed

    async def _job(self, questions: Questions, deadline_s: float) -> dict[str, Outcome]:
        try:
            outcomes = await self._pool.run(tasks(questions), deadline_s)
        except JobFailed as err:
            outcomes = [Outcome([], err.reason) for _ in questions]
        return dict(zip(questions, outcomes, strict=True))

    def _set(self, names: tuple[str, ...]) -> str:
        if names not in self._sets:
            self._sets[names] = digest(
                [[d.name, d.version, d.config] for d in self._descriptions if d.name in names]
            )
        return self._sets[names]

    def _started(self) -> Locator:
        if self._locator is None:
            raise RuntimeError("the inspector is not started")
        return self._locator


def _describe(detector: Detector, options: Mapping[str, Any]) -> Description:
    config = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()
    return Description(detector.name, detector.version, config, tuple(sorted(detector.categories)))
