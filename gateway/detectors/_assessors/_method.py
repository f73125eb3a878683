"""What one kind of assessor knows: how a text is put to it, and what its answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.calls import Outgoing
from gateway.core.ports import Submission


class Unclear(Exception):
    """An answer that does not say what it has to. It never counts as harmless.

    reason: why, as a code; of the answer itself nothing is told.
    """

    def __init__(self, reason: str = "unclear") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claim:
    """What an assessor says of the characters [start, end) of a text."""

    category: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What the answers to some calls say: claims for each text, and tokens that were counted."""

    claims: Sequence[Sequence[Claim]]
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Method(Protocol):
    """One kind of assessor with its options. Pure: it sends nothing itself.

    version: changes when the same answer would mean something else. dialect: that its
    upstream must speak; empty for one that has an API of its own. of_model: whether it is a
    model of the catalogue, and not a backend as such. max_chars: the longest text that it takes
    at once. batch: so many texts at most go into one call.
    """

    version: str
    categories: frozenset[str]
    dialect: str
    of_model: bool
    max_chars: int
    batch: int

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """What has to be asked to judge these. model: the upstream's name for it."""

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """What these answers say, one for each call, in their order. Raises Unclear."""
