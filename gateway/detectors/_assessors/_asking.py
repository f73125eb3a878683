"""An assessor of the catalogue: remembers, asks what is new, and tells failures as findings.

Its calls go straight to the backend: they are not judged again, so that no judging is without
end, and the record of the exchange names them apart from its own (`pipeline.assessing`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core import patience
from gateway.core.apis import Answer, Candidate
from gateway.core.calls import Outgoing
from gateway.core.errors import CircuitOpen, UpstreamError, UpstreamTimeout
from gateway.core.judgement import DETECTOR_ERROR, Finding, Route, Subject
from gateway.core.message import Direction, Kind
from gateway.core.ports import Assessment, Band, Clock, Counters, Submission
from gateway.core.together import together
from gateway.detectors._assessors._method import Answered, Claim, Method, Unclear
from gateway.detectors._assessors._opinions import Opinions
from gateway.detectors._assessors._pieces import joined, pieces

MAX_ANSWER_BYTES = 1024 * 1024
MAX_WAITING = 1_024
# Left out are names and numbers, which are many and say little, and what the client never wrote.
KINDS = frozenset(Kind) - {Kind.METADATA, Kind.TOOL_DEFINITION, Kind.ERROR}

Find = Callable[[], Candidate | None]


@dataclass(frozen=True, slots=True)
class Configured:
    """What an operator wrote about one assessor. config: digest of all of it.

    place: the model of the catalogue, or the backend, as its method says. min_score: below
    it a finding is faint.
    """

    name: str
    kind: str
    method: Method
    config: str
    place: str
    tier: int = 1
    unsure: tuple[Band, ...] = ()
    directions: frozenset[Direction] = frozenset(Direction)
    kinds: frozenset[Kind] = KINDS
    roles: frozenset[str] = frozenset()
    deadline_s: float = 10.0
    at_once: int = 8
    min_score: float = 0.5


@dataclass(slots=True)
class _Part:
    """Pieces of submissions that go into one call. places: (submission, where it starts)."""

    places: list[tuple[int, int]] = field(default_factory=list)
    pieces: list[Submission] = field(default_factory=list)


class RemoteAssessor:
    """Follows `gateway.core.ports.Assessor`. Belongs to one event loop.

    trouble: why the last call failed, as a code; empty if it did not.
    """

    def __init__(
        self, said: Configured, find: Find, *, opinions: Opinions, clock: Clock, counters: Counters
    ) -> None:
        """find: where its calls go now; None if nowhere."""
        self.name, self.version = said.name, f"{said.kind}-{said.method.version}"
        self.categories = said.method.categories
        self.directions, self.tier = said.directions, said.tier
        self.unsure: Sequence[Band] = said.unsure
        self.config = said.config
        self.trouble = ""
        self._said, self._method = said, said.method
        self._find = find
        self._opinions = opinions
        self._clock = clock
        self._counters = counters
        self._turns = asyncio.Semaphore(said.at_once)
        self._waiting = 0

    def takes(self, subject: Subject) -> bool:
        """Whether it is meant for texts of this kind."""
        roles = self._said.roles
        return subject.kind in self._said.kinds and (not roles or subject.role in roles)

    def route(self) -> Route | None:
        """Where a submission would go now; None if nowhere."""
        candidate = self._find()
        return None if candidate is None else candidate.route

    async def assess(
        self, submissions: Sequence[Submission], *, route: Route, deadline_s: float
    ) -> Assessment:
        """Judge these. What fails or is late is a finding. Raises nothing but CancelledError."""
        made = Assessment([[] for _ in submissions])
        config = f"{self.config} {route!r}"
        keys = [self._opinions.key(submission, config) for submission in submissions]
        claims: dict[int, list[tuple[int, Sequence[Claim]]]] = {}
        failed: dict[int, str] = {}
        fresh: list[int] = []
        for index, key in enumerate(keys):
            known = self._opinions.get(key)
            if known is None:
                fresh.append(index)
            else:
                claims[index] = [(0, known)]
        made.known = len(submissions) - len(fresh)
        parts = self._parts(submissions, fresh, failed)
        await self._answer(
            parts, route, min(deadline_s, self._said.deadline_s), made, claims, failed
        )
        for index, submission in enumerate(submissions):
            if index in failed:
                made.findings[index] = [_failure(self.name, submission, failed[index])]
                continue
            found = joined(claims.get(index, ()))
            if index in fresh:
                self._opinions.put(keys[index], found)
            made.findings[index] = [self._finding(claim) for claim in found if claim.score > 0]
        self._count(made, failed)
        return made

    def _parts(
        self, submissions: Sequence[Submission], fresh: Sequence[int], failed: dict[int, str]
    ) -> list[_Part]:
        """What has to be asked, in as few calls as the method allows."""
        parts: list[_Part] = []
        for index in fresh:
            submission = submissions[index]
            try:
                cut = pieces(submission.text, self._method.max_chars)
            except Unclear as err:
                failed[index] = err.reason
                continue
            before = submission.before[-self._method.max_chars // 2 :]
            for start, text in cut:
                if not parts or len(parts[-1].pieces) >= self._method.batch:
                    parts.append(_Part())
                piece = Submission(submission.direction, submission.subject, text, before)
                parts[-1].pieces.append(piece)
                parts[-1].places.append((index, start))
        return parts

    async def _answer(
        self,
        parts: Sequence[_Part],
        route: Route,
        deadline_s: float,
        made: Assessment,
        claims: dict[int, list[tuple[int, Sequence[Claim]]]],
        failed: dict[int, str],
    ) -> None:
        """Adds what is said to `claims`, or why nothing is to `failed`."""
        tasks = [asyncio.ensure_future(self._ask(part, route, made)) for part in parts]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=deadline_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for part, task in zip(parts, tasks, strict=True):
            said = "late" if task.cancelled() else task.result()
            for at, (index, start) in enumerate(part.places):
                if isinstance(said, str):
                    failed[index] = said
                else:
                    claims.setdefault(index, []).append((start, said.claims[at]))

    async def _ask(self, part: _Part, route: Route, made: Assessment) -> Answered | str:
        """What is said to this part, or why nothing is, as a code.

        The door of a detector: whatever goes wrong behind it becomes a finding.
        """
        candidate = self._find()
        if candidate is None or candidate.route != route:
            return "off"
        if self._method.dialect and not candidate.backend.speaks(self._method.dialect):
            return "not_its_api"
        try:
            calls = self._method.calls(part.pieces, candidate.route.upstream_model)
            bodies = await together(self._call(candidate, call, made) for call in calls)
            said = self._method.read(part.pieces, bodies)
            if len(said.claims) != len(part.pieces):
                raise Unclear
        except Unclear as err:
            return err.reason
        except Exception as err:  # noqa: BLE001 - the door of a detector
            return _code(err)
        made.prompt_tokens += said.prompt_tokens
        made.completion_tokens += said.completion_tokens
        return said

    async def _call(self, candidate: Candidate, call: Outgoing, made: Assessment) -> bytes:
        """The body of the answer to one call, made again if that may help and there is time."""
        if self._waiting >= MAX_WAITING:
            raise Unclear("busy")
        self._waiting += 1
        try:
            async with self._turns:
                return await self._tries(candidate, call, made)
        finally:
            self._waiting -= 1

    async def _tries(self, candidate: Candidate, call: Outgoing, made: Assessment) -> bytes:
        n = 0
        while True:
            made.calls += 1
            try:
                result: patience.Result = await candidate.backend.send(call)
            except CircuitOpen:
                made.calls -= 1
                raise
            except UpstreamError as err:
                result = err
            if isinstance(result, Answer) and result.status == 200:
                return await _body(result)
            if isinstance(result, Answer):
                await result.aclose()
            if n >= candidate.retries or not _worth_another(result):
                raise result if isinstance(result, UpstreamError) else Unclear(_status(result))
            now_ms, chance = self._clock.now_ms(), random.random()  # noqa: S311 - no secret
            wait_s = patience.wait_s(result, n, now_ms=now_ms, chance=chance)
            if wait_s is None:
                raise Unclear("too_many_requests")
            await asyncio.sleep(wait_s)
            n += 1

    def _finding(self, claim: Claim) -> Finding:
        faint = claim.score < self._said.min_score
        return Finding(self.name, claim.category, claim.start, claim.end, claim.score, faint=faint)

    def _count(self, made: Assessment, failed: Mapping[int, str]) -> None:
        """For the metrics: what it did and what it cost."""
        numbers = {
            "texts": len(made.findings),
            "known": made.known,
            "calls": made.calls,
            "prompt_tokens": made.prompt_tokens,
            "completion_tokens": made.completion_tokens,
        }
        for name, number in numbers.items():
            self._counters.add(f'assessor_{name}_total{{assessor="{self.name}"}}', number)
        for reason in failed.values():
            labels = f'assessor="{self.name}",reason="{reason}"'
            self._counters.add(f"assessor_failures_total{{{labels}}}")
        if made.known < len(made.findings):
            self.trouble = next(iter(failed.values()), "")


async def _body(answer: Answer) -> bytes:
    """All of it. Raises Unclear for more than any answer has."""
    found = bytearray()
    try:
        async for piece in answer.body:
            found += piece
            if len(found) > MAX_ANSWER_BYTES:
                raise Unclear("too_large")
    finally:
        await answer.aclose()
    return bytes(found)


def _worth_another(result: patience.Result) -> bool:
    """Here nobody else waits who could be told to slow down, so that is heeded here."""
    too_many = isinstance(result, Answer) and result.status == 429
    return too_many or patience.worth_another(result)


def _status(answer: Answer) -> str:
    if answer.status == 429:
        return "too_many_requests"
    return "failed" if answer.status >= 500 else "refused"


def _code(err: Exception) -> str:
    if isinstance(err, CircuitOpen):
        return "rests"
    if isinstance(err, UpstreamTimeout | TimeoutError):
        return "late"
    return "unreachable" if isinstance(err, UpstreamError) else type(err).__name__


def _failure(name: str, submission: Submission, reason: str) -> Finding:
    return Finding(name, DETECTOR_ERROR, 0, len(submission.text), 1.0, reason)
