"""What a policy says, once it has been read: plain values without files and lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway import taxonomy
from gateway.core.judgement import USUAL, Finding, Manner, Mode, ReviewOrder, StreamMode
from gateway.core.keeping import Keeping
from gateway.core.ports import Action, Asking
from gateway.core.targets import Target
from gateway.policy.conditions import Condition
from gateway.policy.groups import GROUPS
from gateway.policy.matching import Names, Scope

API_VERSION = "gateway/v1"
KIND = "Policy"
ON_ERROR_RULE = "on-detector-error"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names a policy may use.

    detectors: name -> categories it can report. If there are none, neither detector nor
    category names are checked. assessors: those of the detectors that are models or services
    elsewhere. classes: of data; without any, their names are not checked. retentions: classes that
    say how long texts are kept; the same.
    """

    actions: Mapping[str, Action]
    detectors: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(
        default_factory=lambda: {**GROUPS, **taxonomy.load().groups()}
    )
    assessors: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    retentions: frozenset[str] = frozenset()

    @property
    def categories(self) -> frozenset[str]:
        """Those that a detector can report or a group holds; none if there are no detectors.

        A group may hold what no detector here reports, such as names without a language model.
        """
        if not self.detectors:
            return frozenset()
        return frozenset().union(*self.detectors.values(), *self.groups.values())

    @staticmethod
    def of(
        actions: Mapping[str, Action],
        detectors: Mapping[str, frozenset[str]],
        assessors: Mapping[str, frozenset[str]] | None = None,
    ) -> Vocabulary:
        """The usual one: the taxonomy's groups; in `secret` all that `patterns` can report.

        In `listed` all that the operator's own lists do, if there are any.
        """
        secrets = GROUPS["secret"] | detectors.get("patterns", frozenset())
        groups = {**GROUPS, **taxonomy.load().groups(), "secret": secrets}
        if listed := detectors.get("listed"):
            groups["listed"] = listed
        others = assessors or {}
        return Vocabulary(actions, {**detectors, **others}, groups, frozenset(others))


@dataclass(frozen=True, slots=True)
class Rule:
    """When -> then.

    categories: groups are spelt out. min_score: per mille. words: what the action needs in
    words, by language, which is the notice of a label and what the caller is told otherwise.
    order: how a request is to be reviewed, if the action holds it for that. saying: an
    expression for the words, which goes first. manner: how it replaces, if it does. target: where
    it sends requests, if it does; it does not apply to those that go there anyway. at: file and
    line, for messages.
    """

    id: str
    action: Action
    reason: str
    words: Mapping[str, str]
    scope: Scope
    categories: Names
    min_score: int = 0
    detectors: Names | None = None
    kinds: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    condition: Condition | None = None
    description: str = ""
    mode: Mode = Mode.ENFORCE
    order: ReviewOrder | None = None
    at: str = ""
    saying: Condition | None = None
    manner: Manner = USUAL
    target: Target | None = None

    @property
    def decides(self) -> bool:
        """Whether it says what becomes of a text, which only one rule can."""
        return self.action.stops or self.action.changes_text

    @property
    def intervenes(self) -> bool:
        """Whether what it does is to stop, hold, reroute or change a message."""
        return self.decides or self.action.holds or self.action.reroutes

    @property
    def enforces(self) -> bool:
        """Whether it can stop, hold, reroute or change a message now."""
        return self.intervenes and self.mode is Mode.ENFORCE

    def facts(self) -> set[str]:
        """The facts about the exchange that this rule asks about."""
        asked = [each.rests_on for each in (self.condition, self.saying) if each is not None]
        there = self.target.names if self.target is not None else ()
        return self.scope.facts().union(*asked, there)

    def meaning(self) -> dict[str, Any]:
        """What it says, the same however it was written."""
        said = {
            "id": self.id,
            "then": self.action.name,
            "reason": self.reason,
            # In their order, for the first stands in where no language fits.
            "words": [[language, text] for language, text in self.words.items()],
            "scope": self.scope.meaning(),
            "categories": self.categories.meaning(),
            "min_score": self.min_score,
            "detectors": self.detectors.meaning() if self.detectors else None,
            "kinds": sorted(self.kinds) if self.kinds else None,
            "roles": sorted(self.roles) if self.roles else None,
            "condition": self.condition.source if self.condition else None,
        }
        if self.mode is not Mode.ENFORCE:
            said["mode"] = self.mode.value
        if self.order is not None:
            roles = [list(roles) for roles in self.order.reviewers]
            said["order"] = {**asdict(self.order), "reviewers": roles}
        if self.saying is not None:
            said["saying"] = self.saying.source
        if self.manner != USUAL:
            places = self.manner.restore
            restore = None if places is None else sorted(places)
            manner: dict[str, Any] = {"realistic": self.manner.realistic, "restore": restore}
            if self.manner.tools:
                manner["tools"] = [sorted(patterns) for patterns in self.manner.tools]
            said["with"] = manner
        if self.target is not None:
            said["target"] = self.target.meaning()
        return said


@dataclass(frozen=True, slots=True)
class Example:
    """One case a policy is tried on.

    at: file and line, for messages. findings: given by hand, or None to have the text scanned.
    about: what is known of the exchange, by the names that conditions use.
    """

    name: str
    at: str
    direction: str
    text: str
    findings: tuple[Finding, ...] | None
    about: Mapping[str, Any]
    role: str
    kind: str
    outcome: str
    expected_text: str | None
    expected_rules: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Policy:
    """A set of rules for a scope. The order of rules has meaning: see `allow`.

    match_conditions: all must hold for an exchange. variables: what conditions may name.
    deadline_ms: how long detectors may take; 0 if it does not say. keeping: what is kept of the
    texts, if it says so. at: file and line, for messages.
    made: it was not written by a person but made, from a terms profile.
    """

    name: str
    version: str
    scope: Scope
    streaming: StreamMode
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...] = ()
    description: str = ""
    owner: str = ""
    deadline_ms: int = 0
    asking: Asking = field(default_factory=Asking)
    match_conditions: Mapping[str, Condition] = field(default_factory=dict)
    variables: Mapping[str, Condition] = field(default_factory=dict)
    keeping: Keeping | None = None
    at: str = ""
    made: bool = False

    @property
    def revision(self) -> str:
        """Name and version, as in `default@2026.11.1`."""
        return f"{self.name}@{self.version}"

    def meaning(self) -> dict[str, Any]:
        """What it decides, the same however it was written; not its examples and remarks."""
        said: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "scope": self.scope.meaning(),
            "streaming": self.streaming.value,
            "rules": [rule.meaning() for rule in self.rules],
        }
        if self.deadline_ms:
            said["deadline_ms"] = self.deadline_ms
        if self.asking != Asking():
            deadline_ms = round(self.asking.deadline_s * 1000)
            said["asking"] = {"always": sorted(self.asking.always), "deadline_ms": deadline_ms}
        if self.keeping is not None:
            said["keep"] = [self.keeping.texts.value, self.keeping.retention]
        for name in ("match_conditions", "variables"):
            if expressions := getattr(self, name):
                said[name] = {key: each.source for key, each in sorted(expressions.items())}
        return said
