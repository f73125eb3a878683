"""The Merkle tree of RFC 6962, section 2.1: hashes, and proofs that need only a few of them.

Plain functions. Where the tree's hashes are kept is another's business (see `tiles`): these
ask for those of complete subtrees, `complete(level, index)` being the hash of the leaves
[index << level, (index + 1) << level).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Complete = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees side by side: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(size: int, complete: Complete) -> bytes:
    """Hash of the tree's first `size` leaves."""
    return _subtree(0, size, complete) if size else EMPTY_ROOT


def inclusion(index: int, size: int, complete: Complete) -> list[bytes]:
    """Proof that leaf `index` is in the tree of `size` leaves: PATH of section 2.1.1."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree(middle, end, complete))
            end = middle
        else:
            proof.append(_subtree(start, middle, complete))
            start = middle
    return proof[::-1]


def consistency(old: int, new: int, complete: Complete) -> list[bytes]:
    """Proof that the first `old` of `new` leaves are those of the old tree: section 2.1.2.

    Empty for an empty old tree and for two trees of one size.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no beginning of one of {new}")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_subtree(middle, end, complete))
            end = middle
        else:
            proof.append(_subtree(start, middle, complete))
            start = middle
    if start:
        proof.append(_subtree(start, end, complete))
    return proof[::-1]


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from this leaf's hash to the root: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def consistent(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the proof shows the new tree to begin with the old: RFC 9162, section 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and (found_old, found_new) == (old_root, new_root)


class Frontier:
    """The right edge of a growing tree: all that is needed to append to it and know its root."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf's hash. Holds as many hashes as `size` has bits set."""
        size, found = self.size, leaf
        while size & 1:
            found = node_hash(self._peaks.pop(), found)
            size >>= 1
        self._peaks.append(found)
        self.size += 1

    def root(self) -> bytes:
        """Hash of the tree so far."""
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


def _subtree(start: int, end: int, complete: Complete) -> bytes:
    """MTH of the leaves [start, end), where `start` is as RFC 6962 splits a tree."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return complete(level, start >> level)
    middle = start + _split(size)
    return node_hash(_subtree(start, middle, complete), _subtree(middle, end, complete))


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
