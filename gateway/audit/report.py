"""What checking the log comes to: counts, problems, and what is merely unfinished."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_LISTED = 1_000

Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold, and where. n is None if it concerns a whole chain."""

    code: str
    message: str
    replica: str = ""
    epoch: int = 0
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Unclosed:
    """An exchange with an opened entry and no closed one: still running, or cut by a crash."""

    exchange_id: str
    replica: str
    epoch: int
    n: int


@dataclass(slots=True)
class Report:
    """What `verify` found. Lists stop at `MAX_LISTED`; counts do not.

    tree_size: how many entries the newest checkpoint signs. unsequenced: how many have no
    place in the tree yet, which is no fault. unchecked: what this role may not look at.
    """

    entries: int = 0
    chains: int = 0
    exchanges: int = 0
    tree_size: int = 0
    checkpoints: int = 0
    payloads: int = 0
    unsequenced: int = 0
    unclosed_count: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    unclosed: list[Unclosed] = field(default_factory=list)
    open_chains: list[Name] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything holds. Unclosed exchanges and open chains are no fault."""
        return self.problem_count == 0

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MAX_LISTED:
            self.problems.append(problem)
