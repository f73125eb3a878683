"""Learns the weights of the detector `names` and writes them as an .npz.

    python -m training.names.train DATA OUT [--without SOURCE]... [--half 0|1] [--steps N]

DATA is the folder with the labelled sets. Everything random comes from --seed.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gateway.detectors._hashed import FEATURES, rows, split
from gateway.detectors._tagger import APART
from gateway.detectors._tags import TYPES
from training.names.carriers import Filler, Marked, read
from training.names.corpus import cut_up, labelled, made, plain
from training.names.network import Batch, Network
from training.names.unmarked import common_words, told
from training.names.values import Values

ROW_WORDS = 2_048
PEAK = 3e-3
# Of the words of a batch: those that lose their own row, those that lose all.
WORD_DROPPED, ALL_DROPPED = 0.25, 0.06
# How often each labelled set is seen for each time that a made text is.
SOURCES = {
    "pii_chat_multilingual": 6,
    "pii_presidio_synth_en": 6,
    "pii_meddocan_es": 3,
}
# Unmarked texts, by the beginnings of the sources whose licence allows it.
UNMARKED = {
    "benign": ("arena-hard", "stanford_alpaca", "CyberSecEval"),
    "safety_openai_moderation": (),
    "safety_ailuminate_en": (),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A window: which words, what is before each, and the tag of each."""

    which: np.ndarray[Any, Any]
    gaps: np.ndarray[Any, Any]
    tags: np.ndarray[Any, Any]


class Encoder:
    """Turns windows into numbers; remembers the words that it has seen."""

    def __init__(self, common: frozenset[str]) -> None:
        self._common = common
        self._words: dict[str, int] = {}
        self.rows = np.zeros((0, FEATURES), dtype=np.uint16)

    def encode(self, windows: Sequence[Marked]) -> list[Example]:
        """One example for each window that has a word."""
        words = split([window.text for window in windows])
        ids = np.array([self._words.setdefault(w, len(self._words)) for w in words.known])
        out, first = [], 0
        for window, count in zip(windows, words.counts, strict=True):
            own = slice(first, first + count)
            first += count
            if count:
                tags = tagged(window, words.starts[own], words.ends[own])
                if window.partly:
                    said = told([words.known[i] for i in words.which[own]], self._common)
                    tags = np.array(said, dtype=np.int32)
                out.append(Example(ids[words.which[own]], words.gaps[own], tags))
        return out

    def finish(self) -> None:
        """Hashes the words that are new."""
        new = list(self._words)[len(self.rows) :]
        if new:
            self.rows = np.concatenate([self.rows, rows(new)])


def tagged(
    window: Marked, starts: np.ndarray[Any, Any], ends: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """The tag of each word. One that is only partly within a span belongs to it."""
    tags = np.zeros(len(starts), dtype=np.int32)
    for start, end, type_ in window.spans:
        within = np.flatnonzero((starts < end) & (ends > start))
        tags[within] = 2 + 2 * TYPES.index(type_)
        tags[within[:1]] -= 1
    return tags


def batches(
    examples: Sequence[Example], encoder: Encoder, rng: np.random.Generator
) -> Iterator[Batch]:
    """Rows of words without end, each filled with examples in random order."""
    while True:
        held: list[Example] = []
        used = APART
        for i in rng.permutation(len(examples)):
            need = len(examples[i].which) + APART
            if used + need > ROW_WORDS and held:
                yield _batch(held, encoder, rng)
                held, used = [], APART
            if used + need <= ROW_WORDS:
                held.append(examples[i])
                used += need


def _batch(held: Sequence[Example], encoder: Encoder, rng: np.random.Generator) -> Batch:
    words = np.zeros(ROW_WORDS, dtype=np.int64)
    gaps = np.zeros(ROW_WORDS, dtype=np.int64)
    tags = np.zeros(ROW_WORDS, dtype=np.int64)
    within = np.zeros((ROW_WORDS, 1), dtype=np.float32)
    at = APART
    for example in held:
        own = slice(at, at + len(example.which))
        words[own], gaps[own], tags[own] = example.which, example.gaps, example.tags
        within[own] = 1
        at = own.stop + APART
    unique, which = np.unique(words, return_inverse=True)
    features = encoder.rows[unique].astype(np.int64)
    features[rng.random(len(unique)) < WORD_DROPPED, 0] = 0
    features[rng.random(len(unique)) < ALL_DROPPED] = 0
    return Batch(features, which, gaps, tags, within)


def learn(examples: Sequence[Example], encoder: Encoder, *, steps: int, seed: int) -> Network:
    """The network after so many steps, the rate of learning rising and then falling to 0."""
    rng = np.random.default_rng(seed)
    network = Network(rng)
    began, total = time.monotonic(), 0.0
    stream = batches(examples, encoder, rng)
    for i in range(1, steps + 1):
        rate = PEAK * min(i / (steps / 20), (1 + np.cos(np.pi * i / steps)) / 2)
        total += network.learn(next(stream), float(rate))
        if i % 100 == 0:
            print(f"{i:6} loss {total / 100:.4f} {time.monotonic() - began:.0f} s", flush=True)
            total = 0.0
    return network


def texts(
    data: Path,
    values: Values,
    *,
    count: int,
    without: Iterable[str],
    half: int | None,
    seed: int,
) -> Iterator[Marked]:
    """Windows of made texts, and of the labelled sets that are not left out."""
    rng = random.Random(seed)
    filler = Filler(values, rng)
    for text in made(read(), filler, rng, count):
        yield from cut_up(text, rng, 2)
    for name, times in SOURCES.items():
        if name not in without:
            for text in labelled(data / f"{name}.jsonl", half=half):
                for _ in range(times):
                    yield from cut_up(text, rng, 6)
    for text in unmarked(data):
        yield from cut_up(text, rng, 4)


def unmarked(data: Path) -> list[Marked]:
    """Texts of the sets that are not about personal data."""
    found = (plain(data / f"{name}.jsonl", sources) for name, sources in UNMARKED.items())
    return [text for texts_ in found for text in texts_]


def main() -> None:
    """Reads the command line, learns, writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--without", action="append", default=[], choices=sorted(SOURCES))
    parser.add_argument("--half", type=int, choices=(0, 1), help="of the templates, left out")
    parser.add_argument("--values", type=Path, default=Path("values.json"))
    parser.add_argument("--texts", type=int, default=150_000)
    parser.add_argument("--steps", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    encoder = Encoder(common_words(text.text for text in unmarked(options.data)))
    windows = list(
        texts(
            options.data,
            Values(options.seed, options.values),
            count=options.texts,
            without=options.without,
            half=options.half,
            seed=options.seed,
        )
    )
    examples = []
    for first in range(0, len(windows), 1_000):
        examples += encoder.encode(windows[first : first + 1_000])
    encoder.finish()
    print(f"{len(examples)} windows, {len(encoder.rows)} words", flush=True)
    network = learn(examples, encoder, steps=options.steps, seed=options.seed)
    np.savez(options.out, **dict(network.arrays()))


if __name__ == "__main__":
    main()
