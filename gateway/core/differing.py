"""How what another bundle says differs from what was done: what shadow and replay count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.core.past import Effects, Past
from gateway.core.rejudging import Opinion

MAX_EFFECTS = 64


class Flip(StrEnum):
    """Kinds of differences."""

    SAME = "same"
    NEWLY_BLOCKED = "newly_blocked"
    NO_LONGER_BLOCKED = "no_longer_blocked"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """rules: those that make it. more, less: effects the other bundle has, or has not."""

    flip: Flip
    rules: tuple[str, ...] = ()
    more: Effects = field(default_factory=Counter)
    less: Effects = field(default_factory=Counter)

    def record(self) -> dict[str, Any]:
        """Its form in an entry. What is empty is left out."""
        said: dict[str, Any] = {"flip": self.flip.value}
        if self.rules:
            said["rules"] = list(self.rules[:MAX_EFFECTS])
        for name, effects in (("more", self.more), ("less", self.less)):
            if effects:
                rows = [[*effect, count] for effect, count in sorted(effects.items())]
                said[name] = rows[:MAX_EFFECTS]
        return said


def differ(was: Past | Opinion, opinion: Opinion) -> Difference:
    """How it differs. What a blocked exchange would have had besides does not matter."""
    if opinion.blocked and not was.blocked:
        return Difference(Flip.NEWLY_BLOCKED, (opinion.blocked,))
    if was.blocked and not opinion.blocked:
        return Difference(Flip.NO_LONGER_BLOCKED, (was.blocked,))
    if was.blocked:
        same = was.blocked == opinion.blocked
        rules = () if same else tuple(sorted((was.blocked, opinion.blocked)))
        return Difference(Flip.SAME if same else Flip.CHANGED, rules)
    more, less = opinion.effects - was.effects, was.effects - opinion.effects
    rules = tuple(sorted({rule for _, _, rule in (*more, *less)}))
    return Difference(Flip.CHANGED if rules else Flip.SAME, rules, more, less)


def of_record(said: Mapping[str, Any]) -> Difference:
    """From its form in an entry, as far as it is counted."""
    return Difference(Flip(said["flip"]), tuple(said.get("rules", ())))
