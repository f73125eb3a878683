"""The texts that the classifier of content is trained on are whole and of the known kinds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

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
