"""What judging produces: findings, effects, verdicts. Never the text itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from gateway.core.clearance import LEAST, Clearance, DataClass
from gateway.core.message import Direction, Kind
from gateway.core.prices import Price
from gateway.core.targets import Target

DETECTOR_ERROR = "DETECTOR_ERROR"
OPAQUE = "OPAQUE"
STATE = "STATE"
# Raised once a request is judged, of what would leave: rules on it are asked about its class.
DATA_CLASS = "DATA_CLASS"
TERMS = "TERMS"
AWAY = "away"
# Notes of a DETECTOR_ERROR that may pass by itself: too much to do, a worker that ended, or a
# database that is away.
PASSING = frozenset({"late", "full", "died", "closed", AWAY})


class StreamMode(StrEnum):
    """How much of a streamed answer a client may see before it is judged."""

    WINDOW = "window"
    HOLD = "hold"
    OBSERVE = "observe"


class Mode(StrEnum):
    """How far a rule goes, the furthest first."""

    ENFORCE = "enforce"
    WARN = "warn"
    SHADOW = "shadow"
    OFF = "off"

    def reaches(self, other: Mode) -> bool:
        """Whether it goes as far as the other one, or further."""
        return _REACHES[self] <= _REACHES[other]

    def within(self, limit: Mode) -> Mode:
        """The same, but no further than the limit."""
        return limit if self.reaches(limit) else self


_REACHES = {mode: place for place, mode in enumerate(Mode)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector reports about the characters [start, end) of one text.

    score: 0 to 1, comparable only within one detector.
    note: a stable, low-cardinality remark such as a media type; never content.
    words: what a caller is told who is stopped for it, unless the rule has words; never content.
    faint: below the threshold of who found it; never acted on, but it may make unsure.
    """

    detector: str
    category: str
    start: int
    end: int
    score: float
    note: str = ""
    faint: bool = False
    words: str = ""

    def moved(self, by: int) -> Finding:
        """The same finding, `by` characters further on."""
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """How a rule wants a request to be reviewed. Times in whole seconds.

    wait_s: how long its caller waits for the decision, 0 not at all. expires_s: how long somebody
    may decide. valid_s: how long a decision counts when the same request comes again. uses: how
    often it may go through once it is approved. reviewers: who decides has, of each of these
    sets of roles, at least one.
    """

    wait_s: int = 30
    expires_s: int = 24 * 60 * 60
    valid_s: int = 60 * 60
    uses: int = 1
    reviewers: tuple[tuple[str, ...], ...] = (("reviewer",),)


@dataclass(frozen=True, slots=True)
class Manner:
    """How originals are replaced where their rule says more than that.

    realistic: by surrogates, which look like what they stand for. restore: the kinds of text in
    which the original comes back; None: all. tools: into whose arguments it does; names, in which
    `*` stands for any characters. A tool must be among those of each set; without any, all are.
    """

    realistic: bool = False
    restore: frozenset[Kind] | None = None
    tools: tuple[frozenset[str], ...] = ()

    def restores(self, kind: Kind, tool: str = "") -> bool:
        """Whether the original comes back in a text of this kind.

        tool: whose arguments the text is of; empty if that is not known, which no set names.
        """
        if self.restore is not None and kind not in self.restore:
            return False
        return (
            not self.tools
            or kind is not Kind.TOOL_ARGUMENTS
            or (tool != "" and all(_named(tool, patterns) for patterns in self.tools))
        )

    def also(self, other: Manner) -> Manner:
        """The same, with originals only where the other one has them come back, too."""
        kinds = self.restore
        if other.restore is not None:
            kinds = other.restore if kinds is None else kinds & other.restore
        more = tuple(patterns for patterns in other.tools if patterns not in self.tools)
        return replace(self, restore=kinds, tools=self.tools + more)

    def places(self) -> dict[str, list[str] | None]:
        """Where the originals of one rule come back, fit for JSON: `kinds`, `tools`; None: all."""
        kinds = sorted(kind.value for kind in self.restore) if self.restore is not None else None
        tools = sorted(frozenset.intersection(*self.tools)) if self.tools else None
        return {"kinds": kinds, "tools": tools}


def _named(tool: str, patterns: frozenset[str]) -> bool:
    return any(fnmatchcase(tool, pattern) for pattern in patterns)


USUAL = Manner()


class Effect(NamedTuple):
    """One rule applied to one finding: what is to be done, how, and who said so.

    Some are made for every finding, and a named tuple is made in a fifth of a dataclass's time.

    mode: of a rule that is not enforced, the effect is what would be done. order: how it is to
    be reviewed, of an action that holds the message for that. target: where the message is to go
    instead, of an action that sends it elsewhere.
    """

    action: str
    finding: Finding
    policy: str
    rule: str
    reason: str
    message: str = ""
    mode: Mode = Mode.ENFORCE
    order: ReviewOrder | None = None
    manner: Manner = USUAL
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is stopped, in words fit for the caller. Never echoes the match."""

    code: str
    message: str
    status: int = 400
    policy: str = ""
    rule: str = ""
    categories: tuple[str, ...] = ()
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bundle decides on some findings.

    trials: what rules would do that are not enforced; the message goes on as if there were none.
    """

    effects: tuple[Effect, ...] = ()
    refusal: Refusal | None = None
    trials: tuple[Effect, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the message must stop here. Block overrides every other effect."""
        return self.refusal is not None

    @property
    def held(self) -> bool:
        """Whether the message must wait for a person."""
        return not self.blocked and any(effect.order is not None for effect in self.effects)

    @property
    def rerouted(self) -> bool:
        """Whether the message must go elsewhere, where all that is asked anew."""
        return not self.blocked and any(effect.target is not None for effect in self.effects)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as far as the gateway key tells.

    data_class: the least class of the data in what it asks, by name; empty if not given.
    """

    key_id: str
    name: str
    tenant: str = "default"
    application: str = ""
    team: str = ""
    roles: tuple[str, ...] = ()
    data_class: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where an exchange goes on to: one catalogue entry, without its credential.

    restore: whether placeholders become originals again in the answer. clearance: which
    classes of data may go there. trains: whether models may be trained on what is sent there;
    true also where nobody knows. retention_days: how long it is kept; -1 if nobody knows.
    terms: ids of the terms profiles that its catalogue entry names. tier: of its backend, such as
    free. prices: of its model; they make it no other place. counts: whether streams are asked for
    their tokens there if their clients do not ask.
    """

    model: str
    upstream_model: str
    backend: str
    provider: str
    hosting: str = "hosted"
    region: str = ""
    terms: tuple[str, ...] = ()
    restore: bool = True
    clearance: Clearance = field(default_factory=Clearance)
    trains: bool = False
    retention_days: int = -1
    tier: str = ""
    prices: tuple[Price, ...] = field(default=(), compare=False, repr=False)
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask about besides the finding.

    languages: those the caller reads, best first, in small letters; only for words to it.
    data: the class of the request's data as it came; for DATA_CLASS, as it would leave.
    attested: names of what somebody attested for the principal and holds.
    """

    direction: Direction
    principal: Principal
    route: Route
    endpoint: str
    stream: bool = False
    json_output: bool = False
    origin: str = field(default="gateway")
    languages: tuple[str, ...] = ()
    data: DataClass = LEAST
    attested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """The text that findings are about: whose it is and what it is for."""

    role: str
    kind: Kind
