"""One assessor is asked about some texts: what it gets of them, and what it says of the originals.

What it gets is egress like any other. Unless it is self-hosted, it gets each text as policy lets
it through both to the exchange's own destination and to the assessor itself, and a text that
policy would not let through to it, it does not get at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.effects import resolve
from gateway.core.exchange import Consulted, Side
from gateway.core.judgement import DETECTOR_ERROR, Finding, Route, Subject
from gateway.core.message import Direction, Edit
from gateway.core.ports import Action, Assessment, Assessor, Clock, Judge, Submission, Vault
from gateway.core.splice import apply, origin
from gateway.pipeline.classing import Clearing

SELF_HOSTED = "self_hosted"
WITHHELD, OFF, BUSY = "withheld", "off", "busy"


Before = Callable[[Route], str]


@dataclass(slots=True)
class Heard:
    """A whole text with all that was found in it. pieces: of one that leaves as it comes."""

    subject: Subject
    text: str = ""
    findings: list[Finding] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the texts of one message are judged with.

    bind: the judge of what goes along another route. asked: of an answer, what its user had said
    last, as it may go along a route, if that is known. clearing: which data may go along it.
    """

    judge: Judge
    bind: Callable[[Route], Judge]
    direction: Direction
    actions: Mapping[str, Action]
    vault: Vault
    side: Side
    clock: Clock
    clearing: Clearing
    asked: Before | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A text as it leaves, and the edits that made it so."""

    text: str
    edits: Sequence[Edit] = ()


async def consult(
    bench: Bench, assessor: Assessor, heard: Sequence[Heard], *, deadline_s: float
) -> list[list[Finding]]:
    """What it finds in each of these texts, at their own offsets. What it cost is recorded."""
    route = assessor.route()
    if route is None:
        return [[failure(assessor.name, each, OFF)] for each in heard]
    record = _record(bench.side, assessor.name, route)
    sent = [_sent(bench, route, each) for each in heard]
    before = bench.asked(route) if bench.asked is not None else ""
    leaving = [
        Submission(bench.direction, each.subject, as_sent.text, before)
        for each, as_sent in zip(heard, sent, strict=True)
        if as_sent is not None
    ]
    began_ms = bench.clock.monotonic_ms()
    made = Assessment([])
    if leaving:
        made = await assessor.assess(leaving, route=route, deadline_s=deadline_s)
    record.took_ms += bench.clock.monotonic_ms() - began_ms
    answers = iter(made.findings)
    found = [
        [failure(assessor.name, each, WITHHELD)]
        if as_sent is None
        else [_placed(finding, as_sent) for finding in next(answers)]
        for each, as_sent in zip(heard, sent, strict=True)
    ]
    _add(record, made, found)
    return found


def asked(bench: Bench, heard: Heard) -> Before:
    """What tells how a text may go along a route, by the rules for its own direction.

    It says nothing of one that may not go there.
    """

    def as_sent(route: Route) -> str:
        sent = _sent(bench, route, heard)
        return "" if sent is None else sent.text

    return as_sent


def failure(name: str, heard: Heard, reason: str) -> Finding:
    """A text that could not be judged; why, as a code."""
    return Finding(name, DETECTOR_ERROR, 0, len(heard.text), 1.0, reason)


def _sent(bench: Bench, route: Route, heard: Heard) -> Sent | None:
    """The text as it may go there; None if it may not."""
    findings = [finding for finding in heard.findings if not finding.faint]
    if route.hosting == SELF_HOSTED:
        return Sent(heard.text) if bench.clearing.allows(route, findings) else None
    there = bench.bind(route).decide(findings, heard.subject)
    if there.blocked or there.held or there.rerouted:
        return None
    effects = [*bench.judge.decide(findings, heard.subject).effects, *there.effects]
    gone = {e.finding for e in effects if bench.actions[e.action].changes_text}
    if not bench.clearing.allows(route, (f for f in findings if f not in gone)):
        return None
    edits = resolve(effects, bench.actions, heard.text, bench.vault)
    return Sent(apply(heard.text, edits), edits)


def _placed(finding: Finding, sent: Sent) -> Finding:
    """The finding where it stands in the original."""
    start, end = origin(sent.edits, finding.start, finding.end)
    return replace(finding, start=start, end=end)


def _record(side: Side, name: str, route: Route) -> Consulted:
    key = (name, route.backend, route.model)
    if key not in side.consulted:
        original = route.hosting == SELF_HOSTED
        side.consulted[key] = Consulted(
            route.hosting, route.upstream_model, original, prices=route.prices
        )
    return side.consulted[key]


def _add(record: Consulted, made: Assessment, found: Sequence[Sequence[Finding]]) -> None:
    record.texts += len(found)
    record.known += made.known
    record.calls += made.calls
    record.prompt_tokens += made.prompt_tokens
    record.completion_tokens += made.completion_tokens
    for findings in found:
        record.failed.update(f.note for f in findings if f.category == DETECTOR_ERROR)
