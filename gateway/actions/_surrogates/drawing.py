"""Drawing from a key: numbers that look random and are the same for the same original."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol


class Draw:
    """Numbers for one original, the same each time. At most some 240 bits can be drawn."""

    def __init__(self, key: bytes, purpose: str, original: str) -> None:
        told = f"surrogate\0{purpose}\0{original}".encode(errors="surrogatepass")
        self._number = int.from_bytes(hmac.digest(key, told, hashlib.sha256), "big")

    def below(self, limit: int) -> int:
        """The next number, from 0 to limit - 1."""
        self._number, drawn = divmod(self._number, limit)
        return drawn

    def digits(self, count: int) -> str:
        """So many decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))


# A candidate by its number, from 0 on; None if there are no more.
Candidates = Callable[[Draw, int], str | None]


class Pick(Protocol):
    """What gives out surrogates, each for one original only."""

    def __call__(
        self, purpose: str, original: str, candidates: Candidates, *, like: str = ""
    ) -> str | None:
        """The surrogate of this original: the one it has, else the first candidate that is free.

        None if none is. A surrogate is free if it stands for nothing else, and nowhere in the
        message. like: what it is drawn for, so that other spellings have a like one; the
        original itself if empty. What is drawn for another purpose differs.
        """

    def days(self, limit: int) -> int:
        """A number of days from 1 to limit, the same for all of one tenant's conversation."""
