"""Which conversations a new bundle judges, and when it is taken back by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, func, insert, select, update

from gateway.core.message import Part
from gateway.db import snapshot, writing
from gateway.lifecycle.tables import policy_tally

# Shares are compared in hundredths of a percent.
_PLACES = 10_000
# A difference that chance alone makes in one of 700 looks; a rollout is looked at many times.
STANDARD_ERRORS = 3.0


def beginning(parts: Iterable[Part]) -> str:
    """What tells a conversation from others for as long as it lasts: how it begins.

    That is its first text of the system and its first of the user, which clients send again at
    every turn. Empty if there are neither.
    """
    found: dict[str, str] = {}
    for part in parts:
        if part.role in ("system", "user") and part.text.strip():
            found.setdefault(part.role, part.text)
            if len(found) > 1:
                break
    return "\0".join(found[role] for role in sorted(found))


def within(seal: str, percent: int) -> bool:
    """Whether the conversation with this keyed digest, in hex, is among so many percent.

    Who is among 1 percent is among 10 percent, too.
    """
    return int(seal[:8], 16) % _PLACES < percent * (_PLACES // 100)


@dataclass(slots=True)
class Tally:
    """Exchanges of one step of a rollout: those that the new bundle judged, and the others."""

    staged: int = 0
    staged_blocked: int = 0
    others: int = 0
    others_blocked: int = 0

    def add(self, *, staged: bool, blocked: bool) -> None:
        """Count one."""
        if staged:
            self.staged += 1
            self.staged_blocked += blocked
        else:
            self.others += 1
            self.others_blocked += blocked

    def jumped(self, *, margin_pm: int, minimum: int) -> bool:
        """Whether clearly more is blocked by the new bundle than by the old one.

        That is when both have judged at least `minimum` exchanges, and the share of blocked
        ones is higher by more than the margin and three standard errors of the difference
        (Agresti and Caffo 2000: one blocked and one other is added to each side).
        """
        if min(self.staged, self.others) < minimum:
            return False
        new, new_n = (self.staged_blocked + 1) / (self.staged + 2), self.staged + 2
        old, old_n = (self.others_blocked + 1) / (self.others + 2), self.others + 2
        error = math.sqrt(new * (1 - new) / new_n + old * (1 - old) / old_n)
        return new - old > margin_pm / 1000 + STANDARD_ERRORS * error

    def __str__(self) -> str:
        return (
            f"{self.staged_blocked} of {self.staged} staged exchanges were blocked, "
            f"{self.others_blocked} of {self.others} others"
        )


_COUNTS = ("staged", "staged_blocked", "others", "others_blocked")


def count_on(engine: Engine, n: int, replica: str, more: Tally) -> None:
    """Add what a replica has counted since it last did. n: the act by which the step began."""
    columns = policy_tally.c
    mine = (columns.n == n) & (columns.replica == replica)
    counted = {name: getattr(more, name) for name in _COUNTS}
    with writing(engine) as connection:
        values = {name: columns[name] + count for name, count in counted.items()}
        if connection.execute(update(policy_tally).where(mine).values(values)).rowcount == 0:
            connection.execute(insert(policy_tally).values(n=n, replica=replica, **counted))


def counted(engine: Engine, n: int) -> Tally:
    """What all replicas have counted in this step."""
    columns = policy_tally.c
    statement = select(*(func.coalesce(func.sum(columns[name]), 0) for name in _COUNTS))
    with snapshot(engine) as connection:
        row = connection.execute(statement.where(columns.n == n)).one()
    return Tally(*map(int, row))
