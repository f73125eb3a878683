"""What another bundle says to an exchange that was judged, by the activation it left.

A shadow bundle is asked on live traffic and a candidate on entries of the log by the same code,
so that both count the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.activation import BESIDE, FIXED, LATE, Activation, Seen
from gateway.core.clearance import CATALOGUE, Clearance, DataClass
from gateway.core.effects import ANSWER, REQUEST
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import (
    DATA_CLASS,
    Context,
    Effect,
    Finding,
    Principal,
    Route,
    Subject,
    Verdict,
)
from gateway.core.message import Direction, Kind
from gateway.core.ports import Action, Bundle, Judge

LABEL = "label"
DIRECTIONS = (Direction.REQUEST, Direction.RESPONSE)
# (direction, action, policy/rule) -> how often.
Effects = Counter[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Past:
    """A judged exchange. contexts, activations: of the directions that were judged.

    effects: what was done. blocked: the policy/rule that stopped it; empty if none did. sent: the
    class of the data that left.
    """

    application: str
    contexts: Mapping[Direction, Context]
    activations: Mapping[Direction, Activation]
    effects: Effects
    blocked: str
    sent: DataClass = field(default_factory=DataClass)

    @property
    def cut(self) -> bool:
        """Whether it had more kinds of findings than are known."""
        return any(activation.cut for activation in self.activations.values())


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a bundle says to an exchange. unheard: detectors it listens to that did not look."""

    effects: Effects = field(default_factory=Counter)
    blocked: str = ""
    unheard: frozenset[str] = frozenset()


def past(exchange: Exchange) -> Past:
    """An exchange that is over."""
    contexts, activations = {}, {}
    effects: Effects = Counter()
    for direction in DIRECTIONS:
        side = exchange.side(direction)
        if exchange.route is None or not side.activation:
            continue
        activations[direction] = side.activation
        contexts[direction] = Context(
            direction,
            exchange.principal,
            exchange.route,
            endpoint=exchange.path,
            stream=exchange.stream,
            json_output=exchange.json_output,
            data=exchange.sensitivity.shown,
            attested=exchange.terms.attested,
        )
        for (action, rule, _), count in side.effects.items():
            effects[direction.value, action, rule] += count
    refusal = exchange.refusal
    stopped = exchange.outcome is Outcome.BLOCKED and refusal is not None
    blocked = f"{refusal.policy}/{refusal.rule}" if stopped and refusal else ""
    sent = exchange.sensitivity.sent
    return Past(exchange.principal.application, contexts, activations, effects, blocked, sent)


def recorded(entry: Mapping[str, Any]) -> Past | None:
    """The same from the closing entry of an exchange; None if nothing was judged."""
    data = entry["data"]
    principal = Principal(
        entry["key_id"],
        "",
        tenant=entry["tenant"],
        application=entry["application"],
        team=data.get("team", ""),
        roles=tuple(data.get("roles", ())),
    )
    route = Route(
        model=entry["model"],
        provider=entry["provider"],
        **{name: data.get(name, "") for name in ("upstream_model", "backend", "hosting")},
        region=data.get("region", ""),
        terms=_terms(data.get("terms", ())),
        clearance=Clearance.of(data["classes"]) if "classes" in data else Clearance(),
        trains=data.get("trains", False),
        retention_days=data.get("retention_days", -1),
    )
    classes = data.get("data_class", {})
    shown, sent = (DataClass.written(classes.get(name, ())) for name in ("shown", "sent"))
    contexts, activations = {}, {}
    effects: Effects = Counter()
    for direction in DIRECTIONS:
        side = data.get(direction.value, {})
        if "activation" not in side:
            continue
        activations[direction] = Activation.of(side["activation"])
        contexts[direction] = Context(
            direction,
            principal,
            route,
            endpoint=data["path"],
            stream=data["stream"],
            json_output=data["json_mode"],
            data=shown,
            attested=tuple(data.get("attested", ())),
        )
        for effect in side["effects"]:
            effects[direction.value, effect["action"], effect["rule"]] += effect["count"]
    if not activations:
        return None
    refusal = data.get("refusal")
    stopped = refusal and entry["outcome"] == Outcome.BLOCKED
    blocked = f"{refusal['policy']}/{refusal['rule']}" if stopped else ""
    return Past(entry["application"], contexts, activations, effects, blocked, sent)


def _terms(said: str | Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The ids of terms profiles in an entry; older entries have one id as it is, or none."""
    if isinstance(said, str):
        return (said,) if said else ()
    return tuple(each["profile"] for each in said)


def rejudge(
    bundle: Bundle,
    was: Past,
    actions: Mapping[str, Action],
    known: Sequence[Mapping[str, frozenset[str]]],
) -> Opinion:
    """What this bundle would have decided.

    known: categories by name of all detectors here. What it says to an answer counts only if
    it would have let the request pass.
    """
    effects: Effects = Counter()
    unheard: set[str] = set()
    for direction, activation in was.activations.items():
        judge = bundle.bind(was.contexts[direction])
        heard = frozenset(name for each in known for name in judge.concerned(each))
        unheard |= heard - activation.detectors
        said = _Said(judge, actions, direction, effects)
        said.to_events(activation.announced)
        said.to_findings(activation.seen, heard)
        if direction is Direction.REQUEST and judge.weighs and not said.blocked:
            of_sent = bundle.bind(replace(was.contexts[direction], data=was.sent))
            said.to_event(DATA_CLASS, of_sent)
        if said.blocked:
            return Opinion(effects, said.blocked, frozenset(unheard))
    # What the catalogue's limits stopped, no bundle lets through. One that would have taken out
    # what was beyond them is not told apart.
    limited = was.blocked if was.blocked.startswith(f"{CATALOGUE}/") else ""
    return Opinion(effects, limited, frozenset(unheard))


class _Said:
    """What one judge says to one direction."""

    def __init__(
        self, judge: Judge, actions: Mapping[str, Action], direction: Direction, effects: Effects
    ) -> None:
        self.blocked = ""
        self._judge = judge
        self._actions = actions
        self._direction = direction
        self._effects = effects

    def to_events(self, announced: int) -> None:
        event = REQUEST if self._direction is Direction.REQUEST else ANSWER
        if announced:
            self.to_event(event, self._judge, announced)

    def to_event(self, name: str, judge: Judge, count: int = 1) -> None:
        finding = Finding("gateway", name, 0, 0, 1.0)
        self._apply(judge.decide((finding,), Subject("", Kind.METADATA)), count)

    def to_findings(self, seen: Mapping[Seen, int], heard: frozenset[str]) -> None:
        for each, count in seen.items():
            if each.place == BESIDE and each.detector not in heard:
                continue
            finding = Finding(
                each.detector, each.category, 0, 0, each.score_pm / 1000, note=each.note
            )
            verdict = self._judge.decide((finding,), Subject(each.role, Kind(each.kind)))
            self._apply(verdict, count, each.place)

    def _apply(self, verdict: Verdict, count: int, place: str = "") -> None:
        refusal = verdict.refusal
        if refusal is not None and place != LATE and not self.blocked:
            self.blocked = f"{refusal.policy}/{refusal.rule}"
        for effect in verdict.effects:
            if place == LATE and not self._passive(effect):
                continue
            rule = f"{effect.policy}/{effect.rule}"
            self._effects[self._direction.value, effect.action, rule] += count
            if place == FIXED and self._actions[effect.action].changes_text and not self.blocked:
                self.blocked = rule

    def _passive(self, effect: Effect) -> bool:
        """Whether it can be had when the text has left."""
        action = self._actions[effect.action]
        return not (action.stops or action.changes_text or effect.action == LABEL)


def strictest(effects: Iterable[str], actions: Mapping[str, Action]) -> str:
    """The strictest of these actions; "allow" if there is none."""
    return max(effects, key=lambda name: actions[name].strictness, default="allow")
