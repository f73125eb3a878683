"""Where a rule sends a request instead: what must be true of the model that gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What the catalogue says of a model and a rule may ask for, in the order in which it is told.
FIELDS = ("model", "provider", "hosting", "region", "trains", "retention_days")
_AT_MOST = "retention_days"

Value = str | bool | int


@dataclass(frozen=True, slots=True)
class Target:
    """wanted: names of FIELDS with the value that will do, of `retention_days` the highest.

    Two values of one name are possible: then nothing can be such.
    """

    wanted: frozenset[tuple[str, Value]]

    @staticmethod
    def of(wanted: Mapping[str, Value]) -> Target:
        """By name, each with its one value."""
        return Target(frozenset(wanted.items()))

    @property
    def names(self) -> frozenset[str]:
        """What is asked for."""
        return frozenset(name for name, _ in self.wanted)

    @property
    def model(self) -> str:
        """The model that is wanted by its name; empty if none is."""
        return next((str(value) for name, value in self.wanted if name == "model"), "")

    def also(self, other: Target) -> Target:
        """What is both."""
        return Target(self.wanted | other.wanted)

    def met(self, facts: Mapping[str, object]) -> bool:
        """Whether something is such, by what is known of it: at least what is asked for."""
        return all(_will_do(name, value, facts[name]) for name, value in self.wanted)

    def meaning(self) -> list[list[Value]]:
        """The same in any order, fit for JSON."""
        ordered = sorted(self.wanted, key=lambda pair: (FIELDS.index(pair[0]), str(pair[1])))
        return [[*pair] for pair in ordered]

    def __str__(self) -> str:
        return ", ".join(map(_told, self.meaning()))


def _will_do(name: str, value: Value, found: object) -> bool:
    if name == _AT_MOST and isinstance(found, int):
        # Nobody knows how long it is kept where it is less than 0.
        return 0 <= found <= int(value)
    return found == value


def _told(pair: list[Value]) -> str:
    name, value = pair
    if isinstance(value, bool):
        return f"{name} {str(value).lower()}"
    return f"{name} at most {value}" if name == _AT_MOST else f"{name} {value}"
