"""Labelled texts from a folder of public data, as windows, with what each is known to be.

Only files whose licence allows a model that ships (docs/models.md lists them). Where a text is
long, each of its windows gets the label of the whole, and counts less.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import taxonomy
from gateway.core.segments import cut
from gateway.core.windows import windows
from training.licences import SHARE_ALIKE

# Tweets: labelled by strangers, with known bias against dialects; many, so each counts little.
TWEETS = "t-davidson"
_WEIGHTS = {TWEETS: 0.1}
_BENIGN_ANSWERS = "recorded answers"
_PERSONAL = ("pii_chat_multilingual", "pii_presidio_synth_en", "pii_meddocan_es")
_MAX_WINDOWS = 8
# Labels of these rows say that they call for a disclosure at most.
_MILD = ("elections", "specialised_advice")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text. unsafe: None if nobody said. hazards: ids of ours that it has for certain."""

    text: str
    source: str
    unsafe: bool | None
    hazards: frozenset[str] = frozenset()
    hard: bool = False

    @property
    def weight(self) -> float:
        """How much the text counts."""
        return _WEIGHTS.get(self.source, 1.0)


def read(data: Path) -> list[Labelled]:
    """All texts of a folder of data (see `shared/data/README.md` of the project)."""
    return [*_safety(data), *_benign(data), *_personal(data), *_answers(data)]


def judged(text: str) -> list[str]:
    """The windows of a text as the gateway judges them; of a long one, some."""
    found = [window.text for window in windows(text, 0, cut(text, final=True))]
    step = max(1, -(-len(found) // _MAX_WINDOWS))
    return found[::step]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON Lines, gzip or not."""
    data = path.read_bytes()
    yield from map(
        json.loads, (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()
    )


def benign(data: Path) -> Iterator[dict[str, Any]]:
    """The harmless rows that may be trained on."""
    return filter(_free, rows(data / "benign.jsonl"))


def _free(row: dict[str, Any]) -> bool:
    return row["source"] not in SHARE_ALIKE


def _safety(data: Path) -> Iterator[Labelled]:
    known = {label: e.id for e in taxonomy.load().hazards.values() for label in (*e.labels, e.id)}
    for path in sorted(data.glob("safety_*.jsonl")):
        for row in rows(path):
            labels: dict[str, int] = row["labels"]
            hazards = frozenset(
                known[key] for key, value in labels.items() if value and key in known
            )
            unsafe = _unsafe(labels)
            if unsafe is not None:
                yield Labelled(row["text"], row["source"], unsafe, hazards)


def _unsafe(labels: dict[str, int]) -> bool | None:
    if "unsafe" in labels:
        return bool(labels["unsafe"])
    if any(labels.get(mild) for mild in _MILD):
        return None
    if labels.get("hate"):
        return True
    return False if labels.get("offensive") == 0 else None


def _benign(data: Path) -> Iterator[Labelled]:
    for row in benign(data):
        yield Labelled(row["text"], row["source"], False, hard=bool(row.get("hard")))
    for row in rows(data / "injection.jsonl"):
        if row["label"] == 0 and "PIGuard" not in row["source"] and _free(row):
            yield Labelled(row["text"], row["source"], False)


def _personal(data: Path) -> Iterator[Labelled]:
    for name in _PERSONAL:
        for row in rows(data / f"{name}.jsonl"):
            yield Labelled(row["text"], name, False)


def _answers(data: Path) -> Iterator[Labelled]:
    """What models really said in recorded exchanges: harmless all of it."""
    seen: set[str] = set()
    for path in sorted((data / "wire").glob("*.jsonl.gz")):
        for row in rows(path):
            for text in _texts(row["response"]):
                if len(text) >= 40 and text not in seen:
                    seen.add(text)
                    yield Labelled(text, _BENIGN_ANSWERS, False)


def _texts(response: str) -> Iterable[str]:
    try:
        value = json.loads(response)
    except ValueError:
        return []
    found: list[str] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("text", "content") and isinstance(inner, str):
                found.append(inner)
            else:
                _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)
