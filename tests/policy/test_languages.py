"""Rules that speak several languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.core.judgement import Context, Finding, Subject
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle

RULE = "rules:\n  - {id: r, when: {categories: [PERSON]}, then: block, message: WORDS}"
FINDING, SUBJECT = Finding("pii", "PERSON", 0, 4, 0.8), Subject("user", Kind.TEXT)
Build = Callable[..., PolicyBundle]


def told(bundle: PolicyBundle, context: Callable[..., Context], *languages: str) -> str:
    judge = bundle.bind(replace(context(), languages=languages))
    refusal = judge.decide([FINDING], SUBJECT).refusal
    assert refusal
    return refusal.message


# (the message of the rule, what the caller reads, what it is told)
TOLD = [
    ("Stop.", (), "Stop."),
    ("Stop.", ("de",), "Stop."),
    ("{en: Stop., de: Halt.}", (), "Stop."),
    ("{en: Stop., de: Halt.}", ("de-at", "en"), "Halt."),
    ("{en: Stop., de: Halt.}", ("fr", "en", "de"), "Stop."),
    ("{de: Halt., fr: Non.}", ("es",), "Halt."),
    ("{fr: Non., de: Halt.}", ("es",), "Non."),
    ("{pt-BR: Pare.}", ("pt",), "Pare."),
    ("{no: Stopp., en: Stop.}", ("no",), "Stopp."),
]


@pytest.mark.parametrize(("words", "languages", "text"), TOLD)
def test_callers_are_told_in_a_language_they_read(
    build: Build, context: Any, words: str, languages: tuple[str, ...], text: str
) -> None:
    assert told(build(RULE.replace("WORDS", words)), context, *languages) == text


def test_callers_of_several_languages_do_not_get_each_others(build: Build, context: Any) -> None:
    bundle = build(RULE.replace("WORDS", "{en: Stop., de: Halt., fr: Non.}"))
    for _ in range(2):
        asked = [told(bundle, context, tag) for tag in ("de", "fr", "en", "it")]
        assert asked == ["Halt.", "Non.", "Stop.", "Stop."]


def test_judges_are_shared_by_callers_who_read_the_same_of_it(build: Build, context: Any) -> None:
    bundle = build(RULE.replace("WORDS", "{en: Stop., de: Halt.}"))

    def judge(*languages: str) -> object:
        return bundle.bind(replace(context(), languages=languages))

    assert judge("de-ch", "fr") is judge("de") is judge("it", "de-at")
    assert judge("it") is judge()
    assert judge("de") is not judge("en", "de")


def test_a_visible_notice_speaks_languages_too(build: Build, context: Any) -> None:
    rule = RULE.replace("block", "label").replace("WORDS", "{en: By AI., de: Von KI.}")
    judge = build(rule).bind(replace(context(), languages=("de",)))
    assert [e.message for e in judge.decide([FINDING], SUBJECT).effects] == ["Von KI."]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("{german: Halt.}", "message, german: expected a language by its tag"),
        ("{de_DE: Halt.}", "expected a language by its tag"),
        ("{de: Halt., DE: Halt.}", "given twice"),
        ("{de: 5}", "expected text"),
        ("{}", "is empty"),
        ("[Stop.]", "expected text"),
    ],
)
def test_what_is_no_language_is_an_error_with_its_line(
    build: Build, words: str, error: str
) -> None:
    with pytest.raises(ConfigError, match=error) as caught:
        build(RULE.replace("WORDS", words))
    assert str(caught.value).startswith("f.yaml:6")


def test_the_digest_tells_words_and_their_order_apart(build: Build) -> None:
    words = ["Stop.", "{de: Halt., fr: Non.}", "{fr: Non., de: Halt.}", "{de: Halt., fr: Nein.}"]
    assert len({build(RULE.replace("WORDS", each)).digest for each in words}) == len(words)
    assert (
        build(RULE.replace("WORDS", "Stop.")).digest
        == build(RULE.replace("WORDS", "{en: Stop.}")).digest
    )
