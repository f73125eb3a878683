"""Writes the half of the labelled sets that `train --half` leaves out, to be judged by.

    python -m training.names.halves DATA OUT --half 0

Then `gateway evaluate OUT/*.jsonl`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.names.corpus import half_of, rows
from training.names.train import SOURCES


def main() -> None:
    """One file for each set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        found = rows(options.data / f"{name}.jsonl")
        kept = [row for i, row in enumerate(found) if half_of(row, i) == options.half]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
        (options.out / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
