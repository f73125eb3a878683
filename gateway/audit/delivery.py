"""What an export hands over, and to what: the port that every outlet of the log fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.core.errors import GatewayError

# The longest wait for the other side to take something.
WAIT_S = 30.0


class Undelivered(GatewayError):
    """What was sent did not arrive, or nobody said so. It may be sent again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that go out together.

    text: all of them. head: what goes before the first of a new file. each: the same, one by
    one: an entry's id and its text, made when asked for, without entries of which the format
    says nothing.
    """

    text: str
    media_type: str
    head: str = ""
    each: Callable[[], Iterable[tuple[str, str]]] = tuple


class Outlet(Protocol):
    """Takes one batch after the other."""

    def send(self, batch: Batch) -> None:
        """Deliver it. Raises Undelivered, or ConfigError where trying again is of no use."""

    def close(self) -> None:
        """Nothing more will come."""
