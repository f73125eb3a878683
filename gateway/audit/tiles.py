"""A Merkle tree cut into tiles: C2SP tlog-tiles (c2sp.org/tlog-tiles, v1).

A tile is up to 256 hashes in a row. Those of level 0 are leaves; each of level n + 1 is the
root of a full tile of level n. A tile only ever grows at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gateway.audit.merkle import HASH_BYTES, Complete, node_hash
from gateway.core.errors import GatewayError

HEIGHT = 8
WIDTH = 1 << HEIGHT

# (level, index) -> the tile's hashes one after the other, as many as there are; b"" if none.
Read = Callable[[int, int], bytes]


class MissingTile(GatewayError):
    """A tile is not there, or shorter than the tree that it belongs to."""


def path(level: int, index: int, width: int = WIDTH) -> str:
    """Where a tile of `width` hashes is served: tile/0/x001/x234/067, .p/W if it is partial."""
    groups = f"{index % 1000:03d}"
    while index := index // 1000:
        groups = f"x{index % 1000:03d}/{groups}"
    return f"tile/{level}/{groups}" + (f".p/{width}" if width < WIDTH else "")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, index, width) of every tile of a tree of `size` leaves."""
    level = 0
    while size:
        for index in range(size // WIDTH):
            yield level, index, WIDTH
        if size % WIDTH:
            yield level, size // WIDTH, size % WIDTH
        level, size = level + 1, size // WIDTH


def complete(read: Read) -> Complete:
    """Hashes of complete subtrees, from tiles."""

    def found(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        tile = read(tile_level, first // WIDTH)
        start = first % WIDTH * HASH_BYTES
        hashes = tile[start : start + (HASH_BYTES << height)]
        if len(hashes) != HASH_BYTES << height:
            raise MissingTile(f"tile {path(tile_level, first // WIDTH)} ends too early")
        return tile_root(hashes)

    return found


def tile_root(hashes: bytes) -> bytes:
    """Root over hashes that stand in a row; their number is a power of two."""
    row = [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def grow(size: int, leaves: Sequence[bytes], read: Read) -> dict[tuple[int, int], bytes]:
    """The tiles that change when `leaves` (hashes) come after the first `size`, whole.

    Raises MissingTile if a tile to be continued is not as long as `size` says.
    """
    grown: dict[tuple[int, int], bytes] = {}
    level, row = 0, list(leaves)
    while row:
        index, there = divmod(size, WIDTH)
        tile = read(level, index) if there else b""
        if len(tile) != there * HASH_BYTES:
            raise MissingTile(f"tile {path(level, index)} has not the {there} hashes it should")
        above: list[bytes] = []
        taken = 0
        while taken < len(row):
            more = row[taken : taken + WIDTH - there]
            tile = grown[level, index] = tile + b"".join(more)
            taken += len(more)
            if len(tile) == WIDTH * HASH_BYTES:
                above.append(tile_root(tile))
                tile, there, index = b"", 0, index + 1
        level, size, row = level + 1, size // WIDTH, above
    return grown
