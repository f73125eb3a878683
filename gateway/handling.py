"""What becomes of data at a backend or a model, and which classes of it may go there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.clearance import ALL, LEVELS, Clearance
from gateway.cursor import Cursor

KEYS = ("classes", "trains", "retention_days")


@dataclass(frozen=True, slots=True)
class Handling:
    """Which classes of data a model may see, and what becomes of the data where it runs.

    trains: whether models may be trained on it. retention_days: how long it is kept; -1: not said.
    """

    clearance: Clearance = field(default_factory=Clearance)
    trains: bool = False
    retention_days: int = -1

    def facts(self) -> dict[str, Any]:
        """As a route holds them."""
        return {
            "clearance": self.clearance,
            "trains": self.trains,
            "retention_days": self.retention_days,
        }


# What is true of a backend that says nothing: careful with those of others.
HOSTED = Handling(Clearance("confidential", frozenset()), trains=True)
SELF_HOSTED = Handling()


def read(
    fields: Mapping[str, Cursor], usual: Handling, special: Collection[str] | None
) -> Handling:
    """What a backend or a model says, on top of what is usual for it. Raises ConfigError.

    special: the special classes that there are; without them their names are not checked.
    """
    found: dict[str, Any] = {}
    if "classes" in fields:
        found["clearance"] = _clearance(fields["classes"], special)
    if "trains" in fields:
        found["trains"] = fields["trains"].truth()
    if "retention_days" in fields:
        found["retention_days"] = fields["retention_days"].count()
    return replace(usual, **found)


def _clearance(cursor: Cursor, special: Collection[str] | None) -> Clearance:
    """One level, up to which data may go there, and the special classes that may."""
    names = cursor.texts() if special is None else cursor.choices([*LEVELS, *special, ALL])
    levels = [name for name in names if name in LEVELS]
    if len(levels) != 1:
        raise cursor.error(
            f"expected one level of {', '.join(LEVELS)}: data up to it may go there."
        )
    return Clearance.of(names)
