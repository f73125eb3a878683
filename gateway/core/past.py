"""A judged exchange as it can be judged again: as it is over, or from its entry in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.activation import Activation
from gateway.core.clearance import LEAST, Clearance, DataClass
from gateway.core.exchange import Exchange, Outcome
from gateway.core.judgement import Context, Principal, Route
from gateway.core.message import Direction

DIRECTIONS = (Direction.REQUEST, Direction.RESPONSE)
# (direction, action, policy/rule) -> how often.
Effects = Counter[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one direction was judged by. sent: of a request, the class of what would have left."""

    activation: Activation
    sent: DataClass


@dataclass(frozen=True, slots=True)
class Turned(Heard):
    """A request as it was judged for where it was to go, before a rule sent it elsewhere."""

    context: Context


@dataclass(frozen=True, slots=True)
class Past:
    """A judged exchange. contexts, activations: of the directions that were judged.

    effects: what was done. blocked: the policy/rule that stopped it; empty if none did. sent: the
    class of the data that left. turned: how its request was judged at first, if it went elsewhere.
    """

    application: str
    contexts: Mapping[Direction, Context]
    activations: Mapping[Direction, Activation]
    effects: Effects
    blocked: str
    sent: DataClass = LEAST
    turned: Turned | None = None

    @property
    def cut(self) -> bool:
        """Whether it had more kinds of findings than are known."""
        return any(activation.cut for activation in self.activations.values())


def past(exchange: Exchange) -> Past:
    """An exchange that is over."""
    contexts, activations = {}, {}
    effects: Effects = Counter()
    for direction in DIRECTIONS:
        side = exchange.side(direction)
        if exchange.route is None or not side.activation:
            continue
        activations[direction] = side.activation
        contexts[direction] = _context(exchange, direction, exchange.route)
        for (action, rule, _), count in side.effects.items():
            effects[direction.value, action, rule] += count
    refusal = exchange.refusal
    stopped = exchange.outcome is Outcome.BLOCKED and refusal is not None
    blocked = f"{refusal.policy}/{refusal.rule}" if stopped and refusal else ""
    turned, detour = None, exchange.detour
    if detour is not None:
        context = _context(exchange, Direction.REQUEST, detour.asked)
        turned = Turned(detour.side.activation, detour.sent, context)
    return Past(
        exchange.principal.application,
        contexts,
        activations,
        effects,
        blocked,
        exchange.sensitivity.sent,
        turned,
    )


def _context(exchange: Exchange, direction: Direction, route: Route) -> Context:
    return Context(
        direction,
        exchange.principal,
        route,
        endpoint=exchange.path,
        stream=exchange.stream,
        json_output=exchange.json_output,
        data=exchange.sensitivity.shown,
        attested=exchange.terms.attested,
    )


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
    route = _route(data, entry["model"], entry["provider"])
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
    turned = None
    if Direction.REQUEST in contexts and (detour := data.get("detour")):
        asked = detour["asked"]
        turned = Turned(
            Activation.of(detour["activation"]),
            DataClass.written(detour["sent"]),
            replace(
                contexts[Direction.REQUEST], route=_route(asked, asked["model"], asked["provider"])
            ),
        )
    return Past(entry["application"], contexts, activations, effects, blocked, sent, turned)


def _route(said: Mapping[str, Any], model: str, provider: str) -> Route:
    """Where an exchange went, or was to go; older entries do not say all of it."""
    return Route(
        model=model,
        provider=provider,
        **{name: said.get(name, "") for name in ("upstream_model", "backend", "hosting")},
        region=said.get("region", ""),
        terms=_terms(said.get("terms", ())),
        clearance=Clearance.of(said["classes"]) if "classes" in said else Clearance(),
        trains=said.get("trains", False),
        retention_days=said.get("retention_days", -1),
    )


def _terms(said: str | Sequence[str | Mapping[str, Any]]) -> tuple[str, ...]:
    """The ids of terms profiles in an entry; older entries have one id as it is, or none."""
    if isinstance(said, str):
        return (said,) if said else ()
    return tuple(each if isinstance(each, str) else each["profile"] for each in said)
