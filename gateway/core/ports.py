"""What the corridor asks of the workshops, as protocols.

The pipeline knows only these. Each is small enough for a test to write its own.
"""

from __future__ import annotations

import math
from asyncio import Future
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.core.judgement import (
    Context,
    Effect,
    Finding,
    Manner,
    Principal,
    Route,
    StreamMode,
    Subject,
    Verdict,
)
from gateway.core.keeping import Keeping, Payload
from gateway.core.message import Direction, Edit, Kind, Part
from gateway.core.reviews import Decision, Held
from gateway.core.standing import Standing


@dataclass(frozen=True, slots=True)
class Trigger:
    """A pattern that says where a detector needs to look.

    pattern: a regular expression; a superset of what the detector can find: it must match,
    no later than the finding ends, some text inside or right before each finding.
    reach_chars: a finding starts at most this many characters before the trigger's match
    ends. Computed from the pattern (`gateway.detectors`), never guessed.
    hint: handed back to `Detector.detect`, to tell it what fired.
    """

    hint: str
    pattern: str
    reach_chars: int
    ignore_case: bool = False


class Detector(Protocol):
    """Finds things in a text. Plain, synchronous, pure; runs in a process of its own."""

    name: str
    version: str
    categories: frozenset[str]

    def load(self) -> Sequence[Trigger] | None:
        """Import and warm what is heavy.

        Returns the triggers that say where to look, or None: every segment must be seen.
        """

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Findings for each text, offsets in characters of that text.

        hints: for each text the hints of the triggers that fired in it; empty if this
        detector has no triggers.
        """


class GradedDetector(Detector, Protocol):
    """A detector that also tells what it is not sure enough of to have it acted on.

    `detect` gives whatever scores more than 0. A finding below the threshold of its category
    is faint: only evaluation ever sees it, to draw curves. thresholds: by category; what has
    none is never faint.
    """

    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of text to judge: [own_start, own_end) of it is judged now.

    What stands before own_start is context; findings that end in it belong to an earlier
    window and are not reported again.
    """

    text: str
    own_start: int
    own_end: int


class Inspector(Protocol):
    """All detectors together: locates in this process, confirms in others.

    reach_chars: how many characters before the first place that `locate` tells within it, or
    right before it, a finding starts at most.
    """

    reach_chars: int
    detectors: Mapping[str, frozenset[str]]

    def locate(self, text: str, detectors: Collection[str]) -> list[int]:
        """Where to look for these detectors, ascending. Linear, microseconds.

        That is where their triggers end and where something encoded ends. A place depends
        on what stands before it alone.
        """

    def everywhere(self, detectors: Collection[str]) -> bool:
        """Whether one of these detectors must see every segment (a model)."""

    async def inspect(
        self,
        windows: Sequence[Window],
        detectors: Collection[str],
        *,
        deadline_s: float = math.inf,
    ) -> list[list[Finding]]:
        """Findings that end in each window's own stretch, offsets in its text.

        deadline_s: how long that may take, waiting included; never longer than it may anyway.
        A detector that fails or is late becomes a finding of category DETECTOR_ERROR over
        the own stretch. Raises nothing but CancelledError.
        """


@dataclass(frozen=True, slots=True)
class Submission:
    """One whole text that is put before an assessor, as it may leave for it.

    before: of an answer, what its user had said last; empty if that is not known.
    """

    direction: Direction
    subject: Subject
    text: str
    before: str = ""


@dataclass(slots=True)
class Assessment:
    """What an assessor said to some submissions, and what that cost.

    findings: for each submission, offsets in its text; one that could not be assessed has a
    DETECTOR_ERROR over all of it, whose note says why. known: how many were answered from
    memory. calls: made for the others, with so many tokens, as far as the other side counts them.
    """

    findings: list[list[Finding]]
    known: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """Where cheaper detection is unsure: scores from `low` to `high`, both included.

    detectors, categories: whose findings count, and which; empty: all.
    """

    low: float
    high: float
    detectors: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def holds(self, finding: Finding) -> bool:
        """Whether the finding is such a one."""
        return (
            self.low <= finding.score <= self.high
            and (not self.detectors or finding.detector in self.detectors)
            and (not self.categories or finding.category in self.categories)
        )


class Assessor(Protocol):
    """A model or a service elsewhere that judges whole texts, as a detector would.

    What it is sent leaves the house. tier: those of a smaller one are asked first. unsure: it
    is asked only where one of these holds; empty: always.
    """

    name: str
    version: str
    categories: frozenset[str]
    directions: frozenset[Direction]
    tier: int
    unsure: Sequence[Band]

    def takes(self, subject: Subject) -> bool:
        """Whether it is meant for texts of this kind."""

    def route(self) -> Route | None:
        """Where a submission would go now; None if nowhere."""

    async def assess(
        self, submissions: Sequence[Submission], *, route: Route, deadline_s: float
    ) -> Assessment:
        """Judge these, which were made fit to go along this route, and go along no other.

        deadline_s: how long that may take, waiting for a turn included; it may have a shorter
        one of its own. What fails or is late is a finding. Raises nothing but CancelledError.
        """


@dataclass(frozen=True, slots=True)
class Asking:
    """What policies say about assessors. always: those asked also where nothing is unsure.

    deadline_s: how long those of one tier may take; 0: as long as they have themselves.
    """

    always: frozenset[str] = frozenset()
    deadline_s: float = 0.0


class Follower(Protocol):
    """Follows one text from its start on and remembers what it needs of it. Plain, synchronous."""

    def feed(self, text: str, *, final: bool) -> list[Finding]:
        """What is known by this next piece, offsets in characters of the whole text.

        text: whole segments. final: the text ends with it. A finding ends in what was fed so
        far, after all that it reported of the same before; it may start in an earlier piece.
        """

    def fork(self) -> Follower:
        """The same at this point, to go on in another way."""


# What follows a text of this subject, if anything has to.
Follow = Callable[[Subject], Follower | None]


class Following(Protocol):
    """Detectors that follow whole texts, for what no window shows. In this process, linear.

    detectors: the categories of each, as in `Inspector`.
    """

    detectors: Mapping[str, frozenset[str]]

    def open(self, detectors: Collection[str], said: Sequence[Part]) -> Follow | None:
        """What follows each text of one message, for these detectors; None if nothing needs to.

        said: of an answer, the parts of the request that it answers.
        """


class Judge(Protocol):
    """A bundle bound to one exchange and direction.

    weighs: whether a rule asks of what class data is. deadline_s: how long detectors may take
    for a text, if less than they may anyway. keeping: what is kept of the texts.
    """

    stream_mode: StreamMode
    deadline_s: float
    asking: Asking
    keeping: Keeping
    weighs: bool

    def concerned(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of the detectors that some rule here listens to."""

    def enforcing(self, detectors: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """Names of those whose findings can stop or change the message."""

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        """Which rules apply to these findings. Each finding is decided by itself."""


class Bundle(Protocol):
    """All policies compiled together. Immutable."""

    digest: str
    revision: str

    def bind(self, context: Context) -> Judge:
        """The rules that can apply in this context."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What judges one exchange, from its first byte to its last.

    shadow: a bundle that is asked as well and changes nothing. told: is told, when a judged
    exchange is over, whether it was blocked.
    """

    bundle: Bundle
    shadow: Bundle | None = None
    told: Callable[[bool], None] | None = None


class Action(Protocol):
    """What an effect does to the text of its finding.

    holds: whether the message waits until a person has decided about it. reroutes: whether the
    message goes elsewhere.
    """

    name: str
    changes_text: bool
    stops: bool
    holds: bool
    reroutes: bool
    strictness: int

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """What stands in place of `text` from now on. Only asked if `changes_text`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a vault must know of the message it serves.

    bound: whether a word stands where it can neither be changed nor taken back; it is then not
    given out. holds: whether these characters stand in any text of the message as it came.
    opening: how the conversation began, the same in each of its turns.
    """

    bound: Callable[[str], bool] = lambda word: False
    holds: Callable[[str], bool] = lambda characters: False
    opening: str = ""


class Vault(Protocol):
    """What goes out in place of originals, and back, for one exchange.

    reach_chars: length of the longest of what was given out; 0 if nothing was. restored: how
    many originals came back so far; who makes the edits counts them.
    """

    reach_chars: int
    restored: int

    def placeholder(self, category: str, original: str, manner: Manner = ...) -> str:
        """What stands for this original: the same for the same tenant, always."""

    def settle(
        self, text: str, edits: Sequence[Edit], place: tuple[Kind, str] | None = None
    ) -> list[Edit]:
        """The edits of a text that goes out, so that `restore` brings back all of it.

        What could be taken for something given out is replaced as well, unless it is just that.
        To be asked once all of a message is judged.

        place: kind and tool of the text of an earlier answer that this is, or comes from: what
        the client could only get there as it was given out. None: the text is the client's own.
        """

    def restore(
        self, text: str, start: int = 0, kind: Kind | None = None, tool: str = ""
    ) -> list[Edit]:
        """Edits that put originals back from `start` on, where they may stand.

        kind: what the text of an answer is for; None for a text of the request itself, to which
        all come back. tool: as for a Part.
        """

    def spans(self, text: str, start: int = 0) -> list[tuple[int, int]]:
        """Where in a text what was given out stands, from `start` on, in order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit entry before it has a place in the chain.

    core: JSON-ready values without floats and without personal data. payload: what is kept
    beside it, apart, for as long as that may be kept.
    """

    exchange_id: str
    kind: str
    core: dict[str, Any]
    tenant: str = ""
    application: str = ""
    key_id: str = ""
    model: str = ""
    provider: str = ""
    outcome: str = ""
    payload: Payload | None = None


class Sink(Protocol):
    """Where entries go."""

    def append(self, entry: Entry) -> Future[None]:
        """Queue the entry at once; the future is done when it is durable.

        Raises RecordUnavailable (also from the future) if it cannot be made durable.
        """


class TenantKeys(Protocol):
    """Where tenants' keys come from, with which the keys of what is kept of texts are wrapped.

    newest: the version that is used for what is new. A key management service (KMS) fits it with
    a MAC over the tenant's name under a key that never leaves it.
    """

    @property
    def newest(self) -> str:
        """The version in use now."""

    def key(self, tenant: str, version: str) -> bytes:
        """The tenant's 32-byte key of this version, the same always. Blocks.

        Raises a GatewayError if it cannot be had.
        """


# (principal, route, modalities of the request) -> how the call stands. From memory, microseconds.
Terms = Callable[[Principal, Route, Collection[str]], Standing]


# (category, value of a finding) -> id under which the value was marked as a false hit; empty if
# it was not. From memory, microseconds.
Quiet = Callable[[str, str], str]


class Shelf(Protocol):
    """What upstreams keep, and whose it is: a keyed digest of each id, never the content."""

    async def put(self, tenant: str, ids: Sequence[str], *, model: str) -> None:
        """Note that a request of this tenant's for `model` had these made.

        Durable when it returns. Raises ShelfUnavailable.
        """

    async def model(self, tenant: str, id_: str) -> str | None:
        """The model this tenant had it made with; None if it is not this tenant's.

        Raises ShelfUnavailable.
        """


class ClassNotes(Protocol):
    """Of what class things were that were said, by keyed digest: shared by all replicas."""

    def concerns(self, tenant: str) -> bool:
        """Whether there may be notes on something of this tenant's. From memory."""

    async def find(self, tenant: str, digests: Collection[str]) -> frozenset[str]:
        """The names of all classes that are noted for these. Raises StickingUnavailable."""

    def put(self, tenant: str, notes: Mapping[str, Sequence[str]]) -> Future[None]:
        """Note the names of classes, by digest.

        The future is done as soon as they are durable and every replica looks for them, or fails
        with StickingUnavailable. Who does not wait for it misses nothing else.
        """


class Reviews(Protocol):
    """Where requests wait until a person has decided about them."""

    async def hold(self, held: Held) -> Decision:
        """What was decided about it, as soon as that is known or its caller need wait no longer.

        A decision that lets it go on counts as used. Nothing of the request is kept once it is
        decided. Raises Refused if it cannot be held, RecordUnavailable if that cannot be recorded.
        """


@dataclass(slots=True)
class Counters:
    """What the process has seen since it started; read by /metrics and heartbeats."""

    values: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, by: int = 1) -> None:
        """Count `by` more of `name`."""
        self.values[name] = self.values.get(name, 0) + by


class Clock(Protocol):
    """Time, so that tests can hold it still."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""

    def monotonic_ms(self) -> float:
        """Milliseconds on a clock that only goes forward."""
