"""Findings remembered by content, so that a conversation sent again costs what is new in it.

Only digests and findings are kept, never text; the key of the digests lives and dies with
the process.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict

from gateway.core.judgement import Finding
from gateway.core.ports import Window

# What an entry and a finding in it take up, measured with tracemalloc and rounded up.
ENTRY_BYTES = 320
FINDING_BYTES = 256


class Memory:
    """The findings of recent windows, the least recently used ones forgotten first."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._secret = os.urandom(32)
        self._entries: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0

    def key(self, window: Window, detectors: str) -> bytes:
        """Names a window as seen by these detectors (any text that tells sets apart)."""
        digest = hashlib.blake2b(
            window.text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16
        )
        digest.update(f"\0{window.own_start}\0{window.own_end}\0{detectors}".encode())
        return digest.digest()

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        """What was found, or None if it is not known."""
        found = self._entries.get(key)
        if found is None:
            self.misses += 1
        else:
            self.hits += 1
            self._entries.move_to_end(key)
        return found

    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None:
        """Remembers, and forgets what no longer fits."""
        if key in self._entries:
            self.used_bytes -= _size_bytes(self._entries.pop(key))
        self._entries[key] = findings
        self.used_bytes += _size_bytes(findings)
        while self.used_bytes > self._limit_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.used_bytes -= _size_bytes(oldest)


def _size_bytes(findings: tuple[Finding, ...]) -> int:
    return ENTRY_BYTES + FINDING_BYTES * len(findings)
