"""A request is judged for one place it may go to. What comes out may go there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from gateway.core.apis import Candidate, Dialect
from gateway.core.calls import Call, Outgoing
from gateway.core.clearance import DataClass
from gateway.core.errors import Detoured, Refused, Unreadable
from gateway.core.exchange import Exchange, Side
from gateway.core.judgement import AWAY, DATA_CLASS, Context, Effect, Refusal, Route, Subject
from gateway.core.languages import accepted
from gateway.core.message import Direction, Edit, Kind, Message, Part
from gateway.core.ports import Bundle, Surroundings, Vault
from gateway.core.reviews import Held
from gateway.core.targets import Target
from gateway.pipeline.assessing import Assessing
from gateway.pipeline.classing import CONVERSATION, Classing, Clearing, not_cleared, settle
from gateway.pipeline.consulting import Before, Bench
from gateway.pipeline.guard import Guard
from gateway.pipeline.held import Notes, held
from gateway.pipeline.house import House
from gateway.pipeline.passage import Passage, whole
from gateway.pipeline.shadow import listening
from gateway.pipeline.shapes import Shapes, shapes_of

# What a placeholder stands within, whoever wrote it.
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9]+\]|(?<![A-Z0-9])[A-Z0-9]++(?:_[A-Z0-9]++)++")
ONLY_ELSEWHERE = "other_model_required"
_USER, _ASSISTANT = "user", "assistant"
_TEXT = frozenset({"text"})
_MEDIA = frozenset({"image", "audio", "video"})
_TOO_MUCH = "The body holds too many texts, is nested too deeply, or has names that are too long."


@dataclass(frozen=True, slots=True)
class Judged:
    """A request that may go to this candidate, and what its answer will be judged with.

    asked: what its user says last, as it may go to assessors of the answer. held: what a person
    must decide about before it may go. showing: texts that leave with what shows them to be of
    a class, as they came.
    """

    call: Outgoing
    message: Message
    candidate: Candidate
    bundle: Bundle
    vault: Vault
    asked: Before | None = None
    held: Held | None = None
    showing: Sequence[tuple[str, DataClass]] = ()

    @property
    def route(self) -> Route:
        """The route it was judged for."""
        return self.candidate.route


async def judge(
    exchange: Exchange,
    dialect: Dialect,
    message: Message,
    candidate: Candidate,
    bundle: Bundle,
    house: House,
) -> Judged:
    """Judge the request as it came for this candidate. Raises Refused.

    What was learned replaces what an earlier judging has left in the exchange. If rules ask of
    what class the data is, and its texts show more than was known, it is judged again as such.
    """
    route, tenant = candidate.route, exchange.principal.tenant
    exchange.route = route
    stand(exchange, message, route, house)
    asks = context(exchange, Direction.REQUEST, message, route)
    judge = bundle.bind(asks)
    while True:
        exchange.request = _side(exchange, message)
        vault = house.vault(tenant, surroundings(message.parts))
        notes = Notes()
        also = assessing(asks, bundle, house, exchange=exchange, vault=vault)
        # What showed a class for the first place, which may see less, shows it for this one.
        weighs = judge.weighs or exchange.detour is not None
        classing = Classing(house.classes(), route, weighs=weighs)
        guard = Guard(
            judge,
            house.inspector,
            house.actions,
            vault,
            exchange.request,
            following=house.following,
            assessing=also,
            notes=notes,
            classing=classing,
            listening=listening(exchange, asks, house, exchange.request),
            quiet=house.quiet(tenant),
        )
        passages = await _judge(exchange, message, shapes_of(dialect), guard, vault, house)
        settle(exchange.sensitivity, classing)
        shown = exchange.sensitivity.shown | asks.data
        if not judge.weighs or shown == asks.data:
            break
        asks = replace(asks, data=shown)
        before, judge = judge, bundle.bind(asks)
        if judge is before:
            break
    may_leave(guard, exchange, asks, bundle)
    body = dialect.forward(message, edits_of(message, passages), route)
    exchange.request.digest = house.seal(tenant, body)
    call = outgoing(exchange, dialect, message, body, route)
    waits = held(exchange, message, passages, notes, house)
    asked = also.asked if also else None
    showing = [
        (part.text, classing.left_in[passage])
        for part, passage in zip(message.parts, passages, strict=True)
        if passage in classing.left_in
    ]
    return Judged(call, message, candidate, bundle, vault, asked, waits, showing)


def outgoing(
    exchange: Exchange, dialect: Dialect, message: Message, body: bytes, route: Route
) -> Outgoing:
    """A judged body with all that its backend needs to know."""
    return Outgoing(
        body=body,
        dialect=dialect.wire or dialect.name,
        path=message.path.replace("{model}", quote(route.upstream_model, safe="")),
        model=route.upstream_model,
        method=message.method,
        content_type=message.content_type,
        stream=message.stream,
        headers=exchange.headers,
    )


def context(exchange: Exchange, direction: Direction, message: Message, route: Route) -> Context:
    """What rules may ask about this exchange."""
    return Context(
        direction=direction,
        principal=exchange.principal,
        route=route,
        endpoint=exchange.path,
        stream=message.stream,
        json_output=message.json_output,
        languages=accepted(exchange.headers.get("accept-language", "")),
        data=exchange.sensitivity.shown,
        attested=exchange.terms.attested,
    )


def assessing(
    asked: Context,
    bundle: Bundle,
    house: House,
    *,
    exchange: Exchange,
    vault: Vault,
    before: Before | None = None,
) -> Assessing | None:
    """Who else judges the texts of one direction; None if nobody does.

    before: of an answer, what its user had said last.
    """
    if house.panel is None:
        return None
    known = exchange.sensitivity
    data = known.given if asked.direction is Direction.REQUEST else known.sent
    bench = Bench(
        judge=bundle.bind(asked),
        bind=lambda route: bundle.bind(replace(asked, route=route)),
        direction=asked.direction,
        actions=house.actions,
        vault=vault,
        side=exchange.side(asked.direction),
        clock=house.clock,
        clearing=Clearing(house.classes(), data, known.lowered),
        asked=before,
    )
    return Assessing(house.panel, bench, house.later)


def may_leave(guard: Guard, exchange: Exchange, asked: Context, bundle: Bundle) -> None:
    """Ask the rules about the class of what would leave. Raises Refused if it may not.

    That is Detoured if it may go elsewhere. This is the one place that holds what the catalogue
    says a model may see.
    """
    sent = exchange.sensitivity.sent
    if guard.refusal is None and guard.weighs:
        guard.announce(DATA_CLASS, bundle.bind(replace(asked, data=sent)))
    if guard.refusal is None and guard.detours:
        raise _detoured(guard.detours)
    refusal = guard.refusal or not_cleared(sent, asked.route)
    if refusal is not None:
        raise Refused(refusal)


def _detoured(effects: Sequence[Effect]) -> Detoured:
    """To where all of these want the message to go, for no rule undoes another."""
    first, target = effects[0], Target(frozenset())
    for effect in effects:
        target = target.also(effect.target or target)
    words = (
        f"Policy {first.policy!r}, rule {first.rule!r}, lets this go only to a model that is such: "
        f"{target}. It cannot be sent there from here."
    )
    refusal = Refusal(
        ONLY_ELSEWHERE,
        first.message or words,
        policy=first.policy,
        rule=first.rule,
        categories=tuple(sorted({effect.finding.category for effect in effects})),
    )
    return Detoured(refusal, target)


def _side(exchange: Exchange, message: Message) -> Side:
    """A fresh one; what has sent the request here stays on record, wherever it goes on to."""
    side = Side(bytes=len(message.body))
    if exchange.detour is not None:
        side.effects.update(exchange.detour.effects)
    return side


def readable(dialect: Dialect, call: Call) -> Message:
    """What a dialect reads. Raises Refused, whatever it is that cannot be read."""
    try:
        return dialect.read(call)
    except RecursionError as err:
        raise Unreadable(_TOO_MUCH) from err


def stand(exchange: Exchange, message: Message, route: Route, house: House) -> None:
    """Note how the exchange stands with the terms of this route."""
    exchange.terms = house.terms(exchange.principal, route, modalities(message))


def modalities(message: Message) -> frozenset[str]:
    """What a request is made of, as terms of use tell it apart."""
    if not message.opaque:
        return _TEXT
    kinds = {item.media_type.partition("/")[0] for item in message.opaque}
    return _TEXT.union(kind if kind in _MEDIA else "file" for kind in kinds)


async def _judge(
    exchange: Exchange,
    message: Message,
    shapes: Shapes,
    guard: Guard,
    vault: Vault,
    house: House,
) -> Sequence[Passage]:
    began = house.clock.monotonic_ms()
    guard.announce("REQUEST")
    if exchange.sensitivity.unsure:
        guard.unchecked(CONVERSATION, AWAY)
    guard.terms(exchange.terms)
    guard.opaque(message.opaque, shapes)
    passages = await passed(guard, message, shapes, vault)
    exchange.judged_ms += house.clock.monotonic_ms() - began
    return passages


async def passed(guard: Guard, message: Message, shapes: Shapes, vault: Vault) -> Sequence[Passage]:
    """Judge what a message says and asks to be kept; the passages of its parts, in their order.

    vault: what the guard's placeholders come from.
    """
    guard.states(message.states)
    passages = [
        whole(
            part.text,
            Subject(part.role, part.kind),
            sealed=part.sealed,
            fixed=part.fixed,
            shape=shapes(part.path),
        )
        for part in message.parts
    ]
    await guard.advance(passages)
    if vault.reach_chars and guard.refusal is None:
        _settle(message.parts, passages, vault)
    return passages


def edits_of(message: Message, passages: Sequence[Passage]) -> dict[str, list[Edit]]:
    """The edits that judging made, by path."""
    return {
        part.path: passage.edits
        for part, passage in zip(message.parts, passages, strict=True)
        if passage.edits
    }


def _settle(parts: Sequence[Part], passages: Sequence[Passage], vault: Vault) -> None:
    """Tell placeholders from what was in the texts already, however often that takes.

    What stands for a look-alike is one more placeholder, so all are looked through again.
    """
    open_ = [
        (passage, _place(part))
        for part, passage in zip(parts, passages, strict=True)
        if _changeable(part)
    ]
    settled = False
    while not settled:
        settled = True
        for passage, place in open_:
            edits = vault.settle(passage.text, passage.edits, place)
            settled = settled and edits == passage.edits
            passage.edits = edits


def _place(part: Part) -> tuple[Kind, str] | None:
    """Where in an earlier answer a part of a request was, or what it comes from.

    What a tool answers may repeat its arguments; which tool that was is not known here.
    """
    if part.kind is Kind.TOOL_RESULT:
        return Kind.TOOL_ARGUMENTS, ""
    if part.role == _ASSISTANT or part.kind is Kind.TOOL_ARGUMENTS:
        return part.kind, part.tool
    return None


def surroundings(parts: Sequence[Part]) -> Surroundings:
    """What a vault must know of a message with these parts."""
    stay = placeholders([part for part in parts if not _changeable(part)])
    return Surroundings(
        bound=lambda word: any(word in each for each in stay),
        holds=lambda characters: any(characters in part.text for part in parts),
        opening=next((part.text for part in parts if part.role == _USER), ""),
    )


def _changeable(part: Part) -> bool:
    return not (part.sealed or part.fixed)


def placeholders(parts: Sequence[Part]) -> set[str]:
    """What looks as if it held a placeholder in these texts."""
    words: set[str] = set()
    for part in parts:
        if "_" in part.text:
            words.update(_PLACEHOLDER.findall(part.text))
    return words
