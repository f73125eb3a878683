"""What class data is of, and which classes a model may see.

Levels each hold more harm than the one before. Beside them are special classes, such as health
data, which a law or a contract names on their own; each has a level, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("public", "internal", "confidential", "restricted")
ALL = "*"
# Who stops what a model may not see: no policy does.
CATALOGUE, CLASSES = "catalogue", "classes"
_RANK = {name: rank for rank, name in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class DataClass:
    """The highest level of some data, and all special classes of it.

    plain: the highest level of what is of no special class.
    """

    level: str = LEVELS[0]
    special: frozenset[str] = frozenset()
    plain: str = LEVELS[0]

    @staticmethod
    def of(level: str, special: str = "") -> DataClass:
        """Data of this level, or of a special class that has it."""
        return DataClass(level, frozenset({special})) if special else DataClass(level, plain=level)

    @staticmethod
    def written(names: Iterable[str]) -> DataClass:
        """Data of classes written out by name: its level, if it is not the lowest, and others."""
        names = frozenset(names)
        level = max(names.intersection(LEVELS), key=_RANK.__getitem__, default=LEVELS[0])
        return DataClass(level, names.difference(LEVELS), level)

    def __or__(self, other: DataClass) -> DataClass:
        """The class of both together."""
        if other is self or other is LEAST:
            return self
        if self is LEAST:
            return other
        return DataClass(
            max(self.level, other.level, key=_RANK.__getitem__),
            self.special | other.special,
            max(self.plain, other.plain, key=_RANK.__getitem__),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The level, then the special classes in alphabetical order."""
        return (self.level, *sorted(self.special))

    @property
    def apart(self) -> tuple[str, ...]:
        """The level of what is of no special class, then these: enough to tell it all again."""
        return (self.plain, *sorted(self.special))


# What data is of which nothing is known.
LEAST = DataClass()


@dataclass(frozen=True, slots=True)
class Clearance:
    """Which classes a model may see: data up to this level, and these special ones. None: all."""

    level: str = LEVELS[-1]
    special: frozenset[str] | None = None

    @staticmethod
    def of(names: Iterable[str]) -> Clearance:
        """As a catalogue writes it. Without a level it is for data of the lowest."""
        written = DataClass.written(names)
        return Clearance(written.level, None if ALL in written.special else written.special)

    def lacks(self, data: DataClass) -> tuple[str, ...]:
        """The classes of this data that the model may not see; empty if it may see the data."""
        beyond = (data.plain,) if _RANK[data.plain] > _RANK[self.level] else ()
        if self.special is None or data.special <= self.special:
            return beyond
        return (*beyond, *sorted(data.special - self.special))

    @property
    def names(self) -> tuple[str, ...]:
        """As in a catalogue: the highest level, then the special classes, or `*` for all."""
        return (self.level, *((ALL,) if self.special is None else sorted(self.special)))
