"""Makes gateway/detectors/weights/injection.npz from written and labelled texts.

    OMP_NUM_THREADS=1 python -m training.injection.train DATA

Prints the digest that gateway/detectors/injection.py must hold. Where the thresholds lie is
found on benign texts of sources that a model has not seen, half of the sources at a time.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from gateway.detectors._suspicion import LABELS, Suspicion
from training.injection.fitting import Floats, Table, fit, judged, table
from training.injection.trials import HALVES, ORDINARY, SEED, everything, groups, half, limit
from training.injection.windows import examples

OUT = Path("gateway/detectors/weights/injection.npz")
# The shares of ordinary requests that each label may wrongly hold for an attack.
FALSE_ALARMS = {"direct": 0.003, "planted": 0.008}


def floors(windows: Table, seed: int) -> Floats:
    """For each label the logit that ordinary requests of unseen sources rarely reach."""
    of = groups(windows.texts)
    found = []
    for number in range(len(HALVES)):
        away = half(windows.texts, number)
        model = fit(windows, ~away, seed=seed)
        logits = judged(model, windows)
        ordinary = np.isin(of, [s for s in HALVES[number] if s in ORDINARY])
        found.append(
            [
                limit(windows.highest(logits[:, column])[ordinary], FALSE_ALARMS[label])
                for column, label in enumerate(LABELS)
            ]
        )
        print(number, found[-1])
    return np.mean(found, axis=0)


def save(model: Suspicion, path: Path) -> str:
    """Writes the model's file; its SHA-256."""
    out = io.BytesIO()
    np.savez_compressed(out, **{f.name: getattr(model, f.name) for f in fields(model)})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())
    return hashlib.sha256(out.getvalue()).hexdigest()


def main() -> None:
    """Trains, writes, tells the digest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    texts = everything(parser.parse_args().data, SEED)
    windows = table(texts, examples(texts))
    model = fit(windows, np.ones(len(texts), dtype=bool), seed=SEED)
    bias = model.bias - floors(windows, SEED)
    print(save(replace(model, bias=bias.astype(np.float32)), OUT))


if __name__ == "__main__":
    main()
