"""What the model of names learns from, where what that needs is installed (`--group training`)."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("faker")
pytest.importorskip("scipy")

from gateway.detectors._tags import TYPES
from training.names.carriers import Marked, joined, parsed, read
from training.names.corpus import cut_up, together
from training.names.network import Batch, Network
from training.names.train import tagged


def marked(text: str, *parts: tuple[str, str]) -> Marked:
    return Marked(text, [(text.index(p), text.index(p) + len(p), type_) for p, type_ in parts])


def said(found: Marked) -> list[tuple[str, str]]:
    return [(found.text[start:end], type_) for start, end, type_ in found.spans]


def test_a_file_has_lists_and_carriers() -> None:
    lists, lines = parsed("# note\n@greet\nHi|Hello\nHey\n@\n<greet> {first}\n# no note\n")
    assert lists == {"greet": ["Hi", "Hello", "Hey"]}
    assert lines == ["<greet> {first}", "# no note"]


def test_every_language_has_carriers_with_and_without_names() -> None:
    for carriers in read():
        assert any("{" not in line for line in carriers.lines), carriers.language


def test_neighbouring_places_are_one_and_so_are_first_names_and_surnames() -> None:
    text = marked("Jo Li, Rome, Italy", ("Jo", "PERSON"), ("Li", "PERSON"),
                  ("Rome", "LOCATION"), ("Italy", "LOCATION"))  # fmt: skip
    assert said(joined(text)) == [("Jo Li", "PERSON"), ("Rome, Italy", "LOCATION")]


def test_texts_put_together_keep_what_is_marked() -> None:
    one, two = marked("Hi Jo", ("Jo", "PERSON")), marked("in Rome", ("Rome", "LOCATION"))
    assert said(together([one, two], "\n")) == [("Jo", "PERSON"), ("Rome", "LOCATION")]


def test_windows_keep_what_is_marked_in_them() -> None:
    text = marked("word " * 60 + "Jo.\n" + "word " * 60, ("Jo", "PERSON"))
    found = cut_up(text, random.Random(1), most=99)
    assert {part for window in found for part, _ in said(window)} == {"Jo"}


def test_the_first_word_of_a_span_begins_it() -> None:
    text = marked("Hi Jo Li", ("Jo Li", "PERSON"))
    tags = tagged(text, np.array([0, 3, 6]), np.array([2, 5, 8]))
    person = TYPES.index("PERSON")
    assert tags.tolist() == [0, 1 + 2 * person, 2 + 2 * person]


def test_the_network_learns_a_row_by_heart() -> None:
    rng = np.random.default_rng(3)
    places = 40
    batch = Batch(
        features=rng.integers(1, 60_000, (places, 14)),
        which=np.arange(places),
        gaps=np.zeros(places, dtype=np.int64),
        tags=rng.integers(0, 5, places),
        within=np.ones((places, 1), dtype=np.float32),
    )
    network = Network(rng)
    losses = [network.learn(batch, 3e-3) for _ in range(60)]
    assert losses[-1] < 0.1 < losses[0]
