"""What another bundle says to an exchange that was judged, by the activation it left.

A shadow bundle is asked on live traffic and a candidate on entries of the log by the same code,
so that both count the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.activation import BESIDE, FIXED, LATE, Seen
from gateway.core.clearance import CATALOGUE, CLASSES
from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import (
    DATA_CLASS,
    Context,
    Effect,
    Finding,
    Subject,
    Verdict,
)
from gateway.core.message import Direction, Kind
from gateway.core.past import Effects, Heard, Past, Turned
from gateway.core.ports import Action, Bundle, Judge

LABEL = "label"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a bundle says to an exchange. unheard: detectors it listens to that did not look."""

    effects: Effects = field(default_factory=Counter)
    blocked: str = ""
    unheard: frozenset[str] = frozenset()


def rejudge(
    bundle: Bundle,
    was: Past,
    actions: Mapping[str, Action],
    known: Sequence[Mapping[str, frozenset[str]]],
) -> Opinion:
    """What this bundle would have decided.

    known: categories by name of all detectors here. What it says to an answer counts only if
    it would have let the request pass. An answer that another model would have given is not
    known; the one that was given stands in for it.
    """
    again = _Again(bundle, actions, known)
    if was.turned is not None:
        first = again.hear(Direction.REQUEST, was.turned.context, was.turned)
        if first.blocked:
            return again.opinion(first.blocked)
        if not first.routes:
            return again.opinion(_gone_on(again, was, was.turned))
        again.forget(but=first.routes)
    elsewhere = False
    for direction, activation in was.activations.items():
        said = again.hear(direction, was.contexts[direction], Heard(activation, was.sent))
        if blocked := said.blocked or _stuck(was, said.routes):
            return again.opinion(blocked)
        elsewhere = elsewhere or bool(said.routes)
    # What the catalogue's limits stopped, no bundle lets through to there. One that would have
    # taken out what was beyond them is not told apart.
    limited = was.blocked.startswith(f"{CATALOGUE}/") and not elsewhere
    return again.opinion(was.blocked if limited else "")


def _gone_on(again: _Again, was: Past, turned: Turned) -> str:
    """What would have stopped a request that was sent elsewhere then, and would not be now."""
    route = turned.context.route
    if route.clearance.lacks(turned.sent):
        return f"{CATALOGUE}/{CLASSES}"
    if Direction.RESPONSE not in was.activations:
        return ""
    context = replace(was.contexts[Direction.RESPONSE], route=route)
    answer = Heard(was.activations[Direction.RESPONSE], was.sent)
    return again.hear(Direction.RESPONSE, context, answer).blocked


def _stuck(was: Past, routes: Collection[str]) -> str:
    """The rule that wants a request elsewhere that cannot go there; empty if it can."""
    if was.blocked in routes:
        return was.blocked
    return min(routes) if routes and was.turned is not None else ""


class _Again:
    """One bundle is asked about the directions of one exchange."""

    def __init__(
        self,
        bundle: Bundle,
        actions: Mapping[str, Action],
        known: Sequence[Mapping[str, frozenset[str]]],
    ) -> None:
        self._bundle = bundle
        self._actions = actions
        self._known = known
        self._effects: Effects = Counter()
        self._unheard: frozenset[str] = frozenset()

    def hear(self, direction: Direction, context: Context, heard: Heard) -> _Said:
        """What it says to one direction."""
        judge = self._bundle.bind(context)
        listened = frozenset(name for each in self._known for name in judge.concerned(each))
        self._unheard |= listened - heard.activation.detectors
        said = _Said(judge, self._actions, direction, self._effects)
        said.to_events(heard.activation.announced)
        said.to_findings(heard.activation.seen, listened)
        if direction is Direction.REQUEST and judge.weighs and not said.blocked:
            said.to_event(DATA_CLASS, self._bundle.bind(replace(context, data=heard.sent)))
        return said

    def forget(self, *, but: Collection[str]) -> None:
        """What it said so far was not to be carried out, apart from what these rules said."""
        routes = {
            key: count
            for key, count in self._effects.items()
            if self._actions[key[1]].reroutes and key[2] in but
        }
        self._effects.clear()
        self._effects.update(routes)

    def opinion(self, blocked: str) -> Opinion:
        """What it comes to."""
        return Opinion(self._effects, blocked, self._unheard)


class _Said:
    """What one judge says to one direction. routes: rules that want it elsewhere."""

    def __init__(
        self, judge: Judge, actions: Mapping[str, Action], direction: Direction, effects: Effects
    ) -> None:
        self.blocked = ""
        self.routes: set[str] = set()
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
            if effect.target is not None:
                self.routes.add(rule)
            if place == FIXED and self._actions[effect.action].changes_text and not self.blocked:
                self.blocked = rule

    def _passive(self, effect: Effect) -> bool:
        """Whether it can be had when the text has left."""
        action = self._actions[effect.action]
        acts = action.stops or action.holds or action.reroutes or action.changes_text
        return not (acts or effect.action == LABEL)


def strictest(effects: Iterable[str], actions: Mapping[str, Action]) -> str:
    """The strictest of these actions; "allow" if there is none."""
    return max(effects, key=lambda name: actions[name].strictness, default="allow")
