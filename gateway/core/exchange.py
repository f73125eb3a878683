"""The exchange: one request and its answer on their way through, with all that was learned."""

from __future__ import annotations

from asyncio import Task
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.core.activation import Activation
from gateway.core.calls import Call
from gateway.core.clearance import LEAST, DataClass
from gateway.core.judgement import Effect, Finding, Mode, Principal, Refusal, Route, Subject
from gateway.core.keeping import Transcript
from gateway.core.message import Direction, Opaque
from gateway.core.ports import Chosen
from gateway.core.prices import Price
from gateway.core.reviews import Decision
from gateway.core.standing import NOTHING, Standing
from gateway.core.targets import Target

MAX_NOTES = 32
MAX_WARNINGS = 16


class Outcome(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    BLOCKED = "blocked"
    REFUSED = "refused"
    UPSTREAM_ERROR = "upstream_error"
    FAILED = "failed"
    DISCONNECTED = "disconnected"


@dataclass(slots=True)
class Coverage:
    """What of a message was judged and what could not be.

    judged_bytes: of UTF-8 text by where it stood (`pipeline.shapes`); names of the API only.
    """

    texts: int = 0
    judged_chars: int = 0
    judged_bytes: Counter[str] = field(default_factory=Counter)
    opaque: list[Opaque] = field(default_factory=list)

    def add(self, shape: str, text: str) -> None:
        """Count a stretch of judged text."""
        self.judged_chars += len(text)
        self.judged_bytes[shape] += len(text) if text.isascii() else len(text.encode())


@dataclass(slots=True)
class Consulted:
    """What one assessor was asked about one side of an exchange, and what that cost.

    original: whether it got the texts as they came, for it is self-hosted; else it got what
    policy lets through. known: of the texts, so many were answered from memory. failed: why
    some could not be judged, as codes. prices: of the model asked.
    """

    hosting: str
    upstream_model: str
    original: bool
    texts: int = 0
    known: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    took_ms: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)
    prices: Sequence[Price] = ()


@dataclass(slots=True)
class Side:
    """What was learned about one direction of an exchange.

    notes: of findings by detector and category; of very many only some. activation: all that it
    takes to judge it again. trials: effects of rules that are not enforced, by mode. warnings:
    what the caller is to be warned of, by who warns (policy/rule, or another source of the same
    form); never content.
    consulted: by name of the assessor, its backend and model. pending: what goes on to be
    learned when the client has had its answer; the closing entry waits for it. transcripts: of
    its messages, where policy has texts kept. quieted: findings that were none, for their value
    was marked as a false hit, by category and id of the mark.
    """

    bytes: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    effects: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    trials: Counter[tuple[Mode, str, str, str]] = field(default_factory=Counter)
    warnings: dict[str, str] = field(default_factory=dict)
    top_score: dict[tuple[str, str], float] = field(default_factory=dict)
    notes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    activation: Activation = field(default_factory=Activation)
    digest: str = ""
    consulted: dict[tuple[str, str, str], Consulted] = field(default_factory=dict)
    pending: list[Task[None]] = field(default_factory=list)
    transcripts: list[Transcript] = field(default_factory=list)
    quieted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, finding: Finding, subject: Subject, place: str = "") -> None:
        """Count a finding; only what it is, not where and never its text.

        place: as in `Activation`.
        """
        self.activation.add(finding, subject, place)
        key = (finding.detector, finding.category)
        self.findings[key] += 1
        self.top_score[key] = max(finding.score, self.top_score.get(key, 0.0))
        if finding.note:
            notes = self.notes.setdefault(key, set())
            if len(notes) < MAX_NOTES:
                notes.add(finding.note)

    def apply(self, effect: Effect) -> None:
        """Count an effect by action, rule and reason."""
        self.effects[effect.action, f"{effect.policy}/{effect.rule}", effect.reason] += 1

    def put_on_trial(self, effect: Effect) -> None:
        """Count an effect that is not carried out; its caller may have to be warned of it."""
        rule = f"{effect.policy}/{effect.rule}"
        self.trials[effect.mode, effect.action, rule, effect.reason] += 1
        if effect.mode is Mode.WARN:
            self.warn(rule, effect.message)

    def warn(self, source: str, words: str) -> None:
        """Have the caller warned, once for each source; of very many only of some."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.setdefault(source, words)


@dataclass(slots=True)
class Sensitivity:
    """The class of an exchange's data, as far as it is known by now.

    given: by all that is known but the texts: its label, its key, what was said before, which is
    `carried`.
    label: the names in its label. lowered: its label counts, whatever the texts show. shown: by
    the request as it came. sent: by the request as it leaves, with what was replaced left out.
    answered: by the answer. unsure: what was said before could not be looked up.
    """

    given: DataClass = LEAST
    label: tuple[str, ...] = ()
    lowered: bool = False
    shown: DataClass = LEAST
    sent: DataClass = LEAST
    answered: DataClass = LEAST
    carried: DataClass = LEAST
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Detour:
    """A request that rules have sent elsewhere, as it was judged for where it was to go first.

    asked: that place. side: what was learned for it; of its effects only those were carried out
    that sent the request elsewhere, which are `effects`. sent: the class of what would have left.
    """

    asked: Route
    target: Target
    side: Side
    effects: Counter[tuple[str, str, str]]
    sent: DataClass


@dataclass(slots=True)
class Attempt:
    """One call to an upstream, made or passed over. Its owner is the pipeline.

    digest: keyed digest of the body that was sent; empty if nothing was. status: of the
    upstream's head; 0 if none came. error: why not, as a code. rule: which policy/rule passed
    this backend over.
    """

    backend: str
    model: str
    digest: str = ""
    status: int = 0
    error: str = ""
    rule: str = ""
    took_ms: float = 0.0


@dataclass(slots=True)
class Exchange:
    """The only mutable object that travels. Its owner is the pipeline.

    cut_off: the answer broke off, and its wire format has no words to say so. ends: what of
    the answer is told from now on makes it complete for whoever hears it. concerned: reference
    of the person whom it is about, keyed. review: what a person decided about it, if a rule wants
    that. chosen: what judges it. shadows: how what a shadow bundle says differs, as it goes on
    record. terms: how it stands with those of its route. asked_model: the name of the
    model that it was to go to first. detour: how it came to go elsewhere, if a rule wants that.
    usage: tokens as the upstream counts them; beside: as in `core.prices`. counted: whether it
    said so to the end; more was used if not.
    """

    id: str
    principal: Principal
    endpoint: str
    path: str
    headers: Mapping[str, str]
    call: Call
    started_ms: int = 0
    concerned: str = ""
    route: Route | None = None
    stream: bool = False
    json_output: bool = False
    chosen: Chosen | None = None
    shadows: list[dict[str, Any]] = field(default_factory=list)
    bundle_digest: str = ""
    bundle_revision: str = ""
    request: Side = field(default_factory=Side)
    response: Side = field(default_factory=Side)
    outcome: Outcome = Outcome.FAILED
    refusal: Refusal | None = None
    status: int = 0
    upstream_status: int = 0
    upstream_called: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    answer_model: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    beside: Collection[str] = ()
    counted: bool = True
    labels: list[str] = field(default_factory=list)
    restored: int = 0
    first_byte_ms: float | None = None
    judged_ms: float = 0.0
    error: str = ""
    cut_off: bool = False
    ends: bool = False
    review: Decision | None = None
    terms: Standing = NOTHING
    asked_model: str = ""
    detour: Detour | None = None

    @property
    def warnings(self) -> dict[str, str]:
        """What the caller is to be warned of so far, by who warns."""
        return {**self.request.warnings, **self.response.warnings}

    def side(self, direction: Direction) -> Side:
        """What was learned about this direction."""
        return self.request if direction is Direction.REQUEST else self.response
