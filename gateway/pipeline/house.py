"""What the roof hands to the corridor: every workshop as a protocol, by name."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.apis import Candidate
from gateway.core.classes import Classes
from gateway.core.clearance import DataClass
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal, Route
from gateway.core.message import Message, Part
from gateway.core.ports import (
    Action,
    Chosen,
    Clock,
    Counters,
    Following,
    Inspector,
    Quiet,
    Reviews,
    Shelf,
    Sink,
    Surroundings,
    Terms,
    Vault,
)
from gateway.core.standing import NOTHING, Standing
from gateway.core.targets import Target
from gateway.pipeline.assessing import Panel
from gateway.pipeline.later import Later
from gateway.pipeline.sticking import Sticking


def no_terms(_who: Principal, _route: Route, _modalities: Collection[str]) -> Standing:
    """For a house in which nothing is under terms of use."""
    return NOTHING


def nowhere(
    _message: Message, _dialect: str, _target: Target, _data: DataClass
) -> Sequence[Candidate]:
    """For a house that has one place only."""
    return ()


@dataclass(frozen=True, slots=True)
class House:
    """The ports one process works with.

    bundle: (who asks, how its conversation begins) -> what judges; asked once per exchange, so a
    reload never splits one. The second is only worked out if it matters.
    route: (request, dialect, principal) -> where it may go, the first choice first; empty if
    there is no such model. Raises Refused if the model's backend cannot serve this dialect.
    sticking: to which texts the class of their conversation sticks; without it to none.
    elsewhere: (request, dialect, what must be true of the place, class of the data) -> the same
    for where a rule sends a request; empty if there is no such place.
    vault: (tenant, what else stands in the message) -> a vault for one exchange.
    labels: the headers that mark an answer, from what is known when its first byte leaves.
    seal: (tenant, bytes) -> keyed digest, 64 hex digits.
    sleep: waits that many seconds. chance: a random number from 0 to 1.
    ends_recorded: whether the end of an answer waits until its closing entry is durable.
    classes: what shows of what class data is, as in force now.
    panel: the assessors, if there are any. later: what goes on when a client has its answer.
    reviews: where requests wait for a person; without it, those that must are refused.
    terms: how a call stands with those of its model.
    quiet: what tells of a tenant's findings which are marked as false hits; None if none are.
    """

    sink: Sink
    shelf: Shelf
    bundle: Callable[[Principal, Callable[[], Sequence[Part]]], Chosen]
    inspector: Inspector
    following: Following
    actions: Mapping[str, Action]
    route: Callable[[Message, str, Principal], Sequence[Candidate]]
    vault: Callable[[str, Surroundings], Vault]
    labels: Callable[[Exchange], Mapping[str, str]]
    seal: Callable[[str, bytes], str]
    counters: Counters
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    ends_recorded: bool = False
    classes: Callable[[], Classes] = Classes
    panel: Panel | None = None
    terms: Terms = no_terms
    later: Later = field(default_factory=Later)
    reviews: Reviews | None = None
    elsewhere: Callable[[Message, str, Target, DataClass], Sequence[Candidate]] = nowhere
    sticking: Sticking | None = None
    quiet: Callable[[str], Quiet | None] = lambda tenant: None
