"""Shingles: so many words in a row, and which of them are kept of a work.

Winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): of each window of shingles the
one with the smallest hash is kept, the last one if there are several. So at least one is kept of
any WINDOW that follow each other: a run of GUARANTEED_WORDS words that two texts share is always
seen. On the average 2 of WINDOW + 1 shingles are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

WORDS = 4
WINDOW = 2
GUARANTEED_WORDS = WORDS + WINDOW - 1
HASH_BYTES = 8
# Whatever changes what is kept of a text, or how it is compared, gives this another name.
SCHEME = "words4-window2-blake2b64-1"


def shingles(words: Sequence[str]) -> list[str]:
    """All shingles of these words, in order."""
    return list(map(" ".join, zip(*(words[i:] for i in range(WORDS)), strict=False)))


def keyed(shingles: Iterable[str], key: bytes) -> list[bytes]:
    """BLAKE2b (RFC 7693) of each shingle under a key of up to 64 bytes: 8 bytes each.

    Without the key nobody can try words to see whether they stand in a work.
    """
    empty = hashlib.blake2b(digest_size=HASH_BYTES, key=key)
    found = []
    for shingle in shingles:
        hash_ = empty.copy()
        hash_.update(shingle.encode("utf-8", "surrogatepass"))
        found.append(hash_.digest())
    return found


def winnowed(hashes: Sequence[bytes]) -> Iterator[int]:
    """The places of the shingles that are kept, ascending. All of fewer than one window's."""
    if len(hashes) < WINDOW:
        yield from range(len(hashes))
        return
    kept = -1
    for start in range(len(hashes) - WINDOW + 1):
        place = min(range(start, start + WINDOW), key=lambda i: (hashes[i], -i))
        if place != kept:
            kept = place
            yield place
