"""RFC 6962's tree, against the vectors that its implementations share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import merkle, tiles

# The leaves and tree heads of Certificate Transparency's reference tests:
# github.com/transparency-dev/merkle, testonly/constants.go.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
MANY = [merkle.leaf_hash(bytes([i % 256, i // 256])) for i in range(700)]


def complete_of(leaves):
    def found(level, index):
        first = index << level
        row = leaves[first : first + (1 << level)]
        assert len(row) == 1 << level
        return tiles.tile_root(b"".join(row))

    return found


REFERENCE = complete_of([merkle.leaf_hash(leaf) for leaf in LEAVES])
COMPLETE = complete_of(MANY)


@pytest.mark.parametrize(("size", "expected"), list(enumerate(ROOTS)))
def test_roots_are_the_shared_ones(size, expected):
    assert merkle.root(size, REFERENCE).hex() == expected
    frontier = merkle.Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(merkle.leaf_hash(leaf))
    assert (frontier.size, frontier.root().hex()) == (size, expected)


@pytest.mark.parametrize(("at", "expected"), list(INCLUSION.items()))
def test_inclusion_proofs_are_the_shared_ones(at, expected):
    assert [h.hex() for h in merkle.inclusion(*at, REFERENCE)] == expected


@pytest.mark.parametrize(("at", "expected"), list(CONSISTENCY.items()))
def test_consistency_proofs_are_the_shared_ones(at, expected):
    assert [h.hex() for h in merkle.consistency(*at, REFERENCE)] == expected


def test_the_proof_of_rfc_6962_section_2_1_3_has_its_shape():
    """Of 7 leaves, from 3: c, d, g, l in the RFC's drawing."""
    node = merkle.node_hash
    a, b = node(MANY[0], MANY[1]), node(MANY[2], MANY[3])
    right = node(node(MANY[4], MANY[5]), MANY[6])
    assert merkle.consistency(3, 7, COMPLETE) == [MANY[2], MANY[3], a, right]
    assert merkle.inclusion(4, 7, COMPLETE) == [MANY[5], MANY[6], node(a, b)]


@given(st.data(), st.integers(1, len(MANY)))
def test_a_leaf_is_proved_where_it_is_and_nowhere_else(data, size):
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root(size, COMPLETE)
    proof = merkle.inclusion(index, size, COMPLETE)
    assert merkle.included(MANY[index], index, size, proof, root)
    other = data.draw(
        st.integers(0, size - 1).filter(lambda i: i != index) if size > 1 else st.just(-1)
    )
    assert not merkle.included(MANY[index], other, size, proof, root)
    assert not merkle.included(MANY[(index + 1) % len(MANY)], index, size, proof, root)
    assert not merkle.included(MANY[index], index, size, [*proof, root], root)
    assert not proof or not merkle.included(MANY[index], index, size, proof[:-1], root)


@given(st.integers(0, len(MANY)), st.integers(0, len(MANY)))
def test_a_tree_begins_with_every_older_one_and_with_no_other(one, two):
    old, new = sorted((one, two))
    roots = merkle.root(old, COMPLETE), merkle.root(new, COMPLETE)
    proof = merkle.consistency(old, new, COMPLETE)
    assert merkle.consistent(old, new, proof, *roots)
    assert len(proof) <= 63
    forged = merkle.leaf_hash(b"forged")
    assert not merkle.consistent(old, new, proof, forged, roots[1])
    assert old == 0 or not merkle.consistent(old, new, proof, roots[0], forged)
    assert not merkle.consistent(old, new, [*proof, forged], *roots)
    if 0 < old < new:
        assert not merkle.consistent(old, new, [], *roots)
        assert not merkle.consistent(old - 1, new, proof, *roots)
        assert not merkle.consistent(new, old, proof, *roots[::-1])


def test_what_is_not_there_has_no_proof():
    with pytest.raises(ValueError, match="no leaf 7"):
        merkle.inclusion(7, 7, COMPLETE)
    with pytest.raises(ValueError, match="no beginning"):
        merkle.consistency(8, 7, COMPLETE)


@given(st.lists(st.integers(0, 90), min_size=1, max_size=12), st.integers(0, 400))
def test_tiles_do_not_depend_on_how_the_tree_grew(steps, first):
    stored: dict[tuple[int, int], bytes] = {}

    def read(level, index):
        return stored.get((level, index), b"")

    size = 0
    for step in (first, *steps):
        step = min(step, len(MANY) - size)
        stored |= tiles.grow(size, MANY[size : size + step], read)
        size += step
    at_once = tiles.grow(0, MANY[:size], lambda level, index: b"")
    assert stored == at_once
    widths = {(level, index): width * 32 for level, index, width in tiles.tiles_of(size)}
    assert {at: len(tile) for at, tile in stored.items()} == widths
    assert merkle.root(size, tiles.complete(read)) == merkle.root(size, COMPLETE)


def test_a_tile_that_is_not_as_it_should_be_is_not_continued():
    with pytest.raises(tiles.MissingTile, match="tile/0/000"):
        tiles.grow(3, MANY[3:5], lambda level, index: b"x" * 64)
    with pytest.raises(tiles.MissingTile, match="ends too early"):
        tiles.complete(lambda level, index: b"")(0, 5)


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        ((0, 0), "tile/0/000"),
        ((1, 1234067), "tile/1/x001/x234/067"),
        ((0, 273, 112), "tile/0/273.p/112"),
        ((2, 1000, 1), "tile/2/x001/000.p/1"),
    ],
)
def test_paths_are_those_of_tlog_tiles(tile, expected):
    assert tiles.path(*tile) == expected


def test_the_tiles_of_70_000_leaves_are_those_of_the_standard():
    found = list(tiles.tiles_of(70_000))
    assert [t for t in found if t[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert len([t for t in found if t[0] == 0]) == 274
    assert list(tiles.tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
