"""What a rule says under `with`: how its action is to be done. Each action knows what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from gateway.core.judgement import USUAL, Manner, ReviewOrder
from gateway.core.targets import Target
from gateway.cursor import Cursor

T = TypeVar("T")
# What an action has that takes parameters: see the classes below.
_READERS = ("settle", "manner", "order", "target")


class Settled(Protocol):
    """An action that takes parameters."""

    def settle(self, parameters: Mapping[str, Any]) -> str:
        """The words its effects carry. Raises ValueError for parameters it cannot use."""


class Mannered(Protocol):
    """An action that can be done in several ways."""

    def manner(self, parameters: Mapping[str, Any]) -> Manner:
        """How it is done. Raises ValueError for parameters it cannot use."""


@runtime_checkable
class Described(Protocol):
    """An action that says what it takes."""

    def takes(self) -> dict[str, Any]:
        """A JSON Schema (draft 2020-12) of the parameters it can use."""


class Ordering(Protocol):
    """An action that holds a request for review."""

    def order(self, parameters: Mapping[str, Any]) -> ReviewOrder:
        """How the review is to be held. Raises ValueError for parameters it cannot use."""


class Routing(Protocol):
    """An action that sends a request elsewhere."""

    def target(self, parameters: Mapping[str, Any]) -> Target:
        """Where to. Raises ValueError for parameters it cannot use, and without any."""


@dataclass(frozen=True, slots=True)
class How:
    """How a rule wants its action to be done. notice: the words that its effects carry."""

    notice: str = ""
    manner: Manner = USUAL
    order: ReviewOrder | None = None
    target: Target | None = None


def read_parameters(rule: Cursor, cursor: Cursor | None, action: object) -> How:
    """How it is to be done. cursor: what stands under `with`, if anything does."""
    order, target = getattr(action, "order", None), getattr(action, "target", None)
    settle, manner = getattr(action, "settle", None), getattr(action, "manner", None)
    at = cursor or rule
    given = _given(cursor)
    if order is not None:
        return How(order=_taken(at, order, given))
    if target is not None:
        return How(target=_taken(at, target, given))
    if cursor is None:
        return How()
    if not takes_any(action):
        raise cursor.error("this action takes no parameters.")
    return How(
        notice=_taken(at, settle, given) if settle else "",
        manner=_taken(at, manner, given) if manner else USUAL,
    )


def takes_any(action: object) -> bool:
    """Whether rules may say anything under `with` for this action."""
    return any(getattr(action, reader, None) is not None for reader in _READERS)


def _given(cursor: Cursor | None) -> Mapping[str, Any]:
    if cursor is None:
        return {}
    if not isinstance(cursor.value, dict):
        raise cursor.error("expected the parameters of the action by name.")
    return cursor.value


def _taken(at: Cursor, take: Callable[[Mapping[str, Any]], T], given: Mapping[str, Any]) -> T:
    """What the action makes of these parameters; what it says against them, with its place."""
    try:
        return take(given)
    except ValueError as err:
        raise at.error(str(err)) from err
