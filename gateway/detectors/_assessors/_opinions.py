"""What assessors said, remembered by a keyed digest of what they were asked; never the text.

The key lives and dies with the process. An opinion is held for an hour at most: models and
services elsewhere change without a word.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from typing import NamedTuple

from gateway.core.ports import Clock, Submission
from gateway.detectors._assessors._method import Claim

MAX_AGE_MS = 3_600_000
# What an entry and a claim in it take up, measured with tracemalloc and rounded up.
ENTRY_BYTES = 320
CLAIM_BYTES = 192


class _Kept(NamedTuple):
    claims: tuple[Claim, ...]
    since_ms: float


class Opinions:
    """The claims about recent submissions, the least recently used ones forgotten first."""

    def __init__(self, limit_bytes: int, clock: Clock) -> None:
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._secret = os.urandom(32)
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self.used_bytes = 0

    def key(self, submission: Submission, config: str) -> bytes:
        """Names a submission as put to the assessor with this configuration."""
        digest = hashlib.blake2b(key=self._secret, digest_size=16)
        role, kind = submission.subject.role, submission.subject.kind.value
        for part in (config, submission.direction, role, kind, submission.before, submission.text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()

    def get(self, key: bytes) -> tuple[Claim, ...] | None:
        """What was said, or None if it is not known any more."""
        kept = self._kept.get(key)
        if kept is None or self._clock.monotonic_ms() - kept.since_ms > MAX_AGE_MS:
            return None
        self._kept.move_to_end(key)
        return kept.claims

    def put(self, key: bytes, claims: tuple[Claim, ...]) -> None:
        """Remembers, and forgets what no longer fits."""
        before = self._kept.pop(key, None)
        if before is not None:
            self.used_bytes -= _size_bytes(before)
        self._kept[key] = kept = _Kept(claims, self._clock.monotonic_ms())
        self.used_bytes += _size_bytes(kept)
        while self.used_bytes > self._limit_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.used_bytes -= _size_bytes(oldest)


def _size_bytes(kept: _Kept) -> int:
    return ENTRY_BYTES + CLAIM_BYTES * len(kept.claims)
