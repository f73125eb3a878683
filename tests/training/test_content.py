"""The texts that the classifier of content is trained on are whole and of the known kinds."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway import taxonomy
from gateway.detectors.content import HAZARDS
from training.content.corpus import HARMLESS, HERE, LANGUAGES, corpus, frames, gerund, lines
from training.content.sources import benign
from training.licences import SHARE_ALIKE

TEXTS = corpus()


def test_every_file_is_about_a_hazard_of_the_taxonomy() -> None:
    named = {path.stem for folder in ("acts", "said") for path in (HERE / folder).glob("*.txt")}
    harmless = {"fair", "fine", "harmless", "played", "refused", "groups"}
    assert named - harmless <= set(taxonomy.load().hazards)
    assert set(HAZARDS) <= {text.hazard for text in TEXTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_frame_takes_a_phrase(language: str) -> None:
    known = frames(language)
    assert set(known) == {"ask", "answer", "never"}
    for each in (frame for section in known.values() for frame in section):
        assert ("{act}" in each) != ("{acting}" in each)


def test_a_line_is_in_english_in_german_and_french_or_in_all_languages() -> None:
    for folder in ("acts", "twins"):
        for path in (HERE / folder).glob("*.txt"):
            for line in lines(path):
                assert set(line) in ({"en"}, {"de", "fr"}, set(LANGUAGES)), line


def test_what_is_said_is_harmless_unless_its_file_is_a_hazard() -> None:
    kinds = {text.text.lower().rstrip(".?! "): text.hazard for text in TEXTS}
    assert kinds["why do stars explode"] == HARMLESS
    assert kinds["give me a working activation code for the office suite"] != HARMLESS
    assert {t.hazard for t in TEXTS if t.family.startswith("ordinary: ")} == {HARMLESS}


def test_share_alike_rows_are_not_learnt_from(tmp_path: Path) -> None:
    rows = [{"text": "a", "source": source} for source in (*sorted(SHARE_ALIKE), "arena-hard-v2.0")]
    (tmp_path / "benign.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [row["source"] for row in benign(tmp_path)] == ["arena-hard-v2.0"]


def test_nothing_is_left_to_fill_in() -> None:
    assert [text for text in TEXTS if "{" in text.text] == []


def test_no_phrase_is_both_harmful_and_harmless() -> None:
    known = {
        folder: {act for path in (HERE / folder).glob("*.txt") for line in lines(path)
                 for act in line.values()}
        for folder in ("acts", "twins")
    }  # fmt: skip
    assert known["acts"] & known["twins"] == set()


def test_it_is_the_same_each_time_and_in_every_language() -> None:
    assert corpus() == TEXTS
    counts = Counter((text.language, text.hazard == HARMLESS) for text in TEXTS)
    assert set(counts) == {(language, kind) for language in LANGUAGES for kind in (True, False)}
    assert min(counts.values()) > 500


@pytest.mark.parametrize(
    ("act", "doing"),
    [("rob a bank", "robbing a bank"), ("make tea", "making tea"), ("tie a knot", "tying a knot"),
     ("steal", "stealing"), ("see a film", "seeing a film")],
)  # fmt: skip
def test_verbs_become_what_is_done(act: str, doing: str) -> None:
    assert gerund(act) == doing


def test_pairs_stand_under_a_hazard_and_a_language_and_no_text_is_there_twice() -> None:
    hazards, texts = taxonomy.load().hazards, Counter[str]()
    for path in sorted((HERE / "pairs").glob("*.txt")):
        headed = False
        for line in path.read_text(encoding="utf-8").splitlines():
            mark, _, rest = line.partition(" ")
            assert mark in ("#", "+", "-"), (path.name, line)
            if mark == "#":
                hazard, language = rest.split()
                assert hazard in hazards, (path.name, line)
                assert language in LANGUAGES, (path.name, line)
                headed = True
            else:
                assert headed, (path.name, line)
                texts[rest] += 1
    assert [text for text, count in texts.items() if count > 1] == []


def test_a_harmful_text_and_its_harmless_ones_are_left_out_together() -> None:
    families: dict[str, set[str]] = {}
    for text in TEXTS:
        if text.family.startswith("pair "):
            families.setdefault(text.family, set()).add(text.hazard)
    assert all(len(kinds - {HARMLESS}) <= 1 for kinds in families.values())
    assert sum(HARMLESS in kinds for kinds in families.values()) > len(families) / 2


def test_the_mean_of_models_adds_up_to_the_mean_of_what_they_say() -> None:
    pytest.importorskip("scipy")
    from training.content.train import SETTINGS, mean
    from training.scorer import Vectors, fit

    rng = np.random.default_rng(1)
    texts = [f"{word} of the day" for word in ("soup", "song", "gun", "bomb") * 8]
    targets = np.array([[word in ("gun", "bomb")] for word in ("soup", "song", "gun", "bomb") * 8])
    vectors = Vectors(
        rng.integers(-9, 9, (1 << 12, 6)).astype(np.int8), np.full(6, 0.1, np.float32)
    )
    fits = [
        fit(
            texts,
            targets.astype(np.float32),
            labels=("unsafe",),
            settings=replace(SETTINGS, bits=12, units=4, seed=seed),
            vectors=vectors,
        )
        for seed in (1, 2, 3)
    ]
    sums = [each.sums(texts) for each in fits]
    assert np.abs(sums[0] - sums[1]).max() > 0.1
    assert np.allclose(mean(fits).sums(texts), np.mean(sums, axis=0), atol=0.1)
