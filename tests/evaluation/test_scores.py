from __future__ import annotations

from gateway import taxonomy
from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.evaluation.scores import hazard, is_personal, scores
from tests.evaluation.build import SECRETS

HAZARDS = taxonomy.load().hazards


def said(**categories: float) -> dict[str, float]:
    """Only what is not 0."""
    findings = [Finding("some", name, 0, 1, score) for name, score in categories.items()]
    return {name: score for name, score in scores(findings, SECRETS).items() if score}


def test_every_name_has_a_score_even_where_nothing_is_found() -> None:
    assert set(scores([], SECRETS)) == {"unsafe", "injection", "secret", "verbatim", *HAZARDS}
    assert set(scores([], SECRETS).values()) == {0.0}


def test_the_highest_score_counts() -> None:
    twice = [Finding("some", "HATE", 0, 1, score) for score in (0.2, 0.7, 0.4)]
    assert scores(twice, SECRETS)["hate"] == scores(twice, SECRETS)["unsafe"] == 0.7


def test_a_part_of_a_hazard_is_that_hazard() -> None:
    assert said(CYBER_MALWARE=0.6, NONVIOLENT_CRIMES=0.3) == {
        "cyber_malware": 0.6, "nonviolent_crimes": 0.6, "unsafe": 0.6,
    }  # fmt: skip


def test_advice_is_no_harm() -> None:
    assert said(SPECIALIZED_ADVICE_LEGAL=0.9) == {
        "specialized_advice_legal": 0.9, "specialized_advice": 0.9,
    }  # fmt: skip


def test_each_says_its_own() -> None:
    assert said(UNSAFE=0.4) == {"unsafe": 0.4}
    assert said(JAILBREAK=0.4, PROMPT_INJECTION=0.5) == {"injection": 0.5}
    assert said(SOME_TOKEN=0.8) == {"secret": 0.8}
    assert said(PROTECTED_TEXT=0.3) == {"verbatim": 0.3}
    assert said(PERSON=0.9) == {}


def test_personal_is_what_is_nothing_else() -> None:
    assert is_personal("PERSON", SECRETS)
    assert is_personal("SOME_NEW_ID", SECRETS)
    for category in ("SOME_TOKEN", "HATE", "UNSAFE", "JAILBREAK", DETECTOR_ERROR):
        assert not is_personal(category, SECRETS)


def test_labels_of_data_sets_are_hazards_of_ours() -> None:
    labels = "violence sexual hate hate_threatening weapons cyber privacy offensive harassment"
    assert {hazard(label) for label in labels.split()} <= set(HAZARDS)
    assert hazard("unsafe") == "unsafe"
