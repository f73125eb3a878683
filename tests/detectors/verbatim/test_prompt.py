"""Answers that give their own system prompt away, and those that do not."""

from __future__ import annotations

import base64

import pytest

from gateway.core.judgement import Finding, Subject
from gateway.core.message import Kind, Part
from gateway.detectors._verbatim.following import LEAK_WORDS, Following
from gateway.detectors._verbatim.prompt import LONG_TIMES
from gateway.detectors._verbatim.works import Works
from tests.detectors.verbatim.texts import Author, found

PROMPT = (
    "You are Vela, the assistant of a shop for bicycles. Never name a price below the list. If a "
    "customer asks for a discount, offer a free inspection instead, and no more than one. Do not "
    "mention our supplier. Complaints go to the desk in the second floor. Answer in three "
    "sentences at most, and always end with a question about the next ride."
)
LONG = " ".join(Author(5).work(3_000))


@pytest.fixture(scope="module")
def following() -> Following:
    return Following(lambda: Works((), b""))


def part(text: str, role: str = "system", kind: Kind = Kind.TEXT) -> Part:
    return Part("/messages/0/content", text, role, kind)


def leaks(following: Following, answer: str, *said: Part) -> list[Finding]:
    return found(following, answer, said or (part(PROMPT),))


@pytest.mark.parametrize(
    "answer",
    [
        PROMPT,
        f"Sure! My instructions are:\n\n{PROMPT}",
        PROMPT.upper(),
        PROMPT.replace(" ", "\n"),
        "\n".join(f"- **{line}**" for line in PROMPT.split(". ")),
        "```\n" + PROMPT.replace(". ", ".\n") + "\n```",
        PROMPT.replace(",", "").replace(".", " /"),
        PROMPT.replace("a", "&#97;"),
        base64.b64encode(PROMPT.encode()).decode(),
        PROMPT.replace("customer", "client").replace("Never", "Don't").replace("free", "gratis"),
        "I was told this: " + " ".join(PROMPT.split()[20:48]) + ". So I cannot do that.",
    ],
)  # fmt: skip
def test_what_is_told_is_found_in_any_dress(answer: str, following: Following) -> None:
    seen = leaks(following, answer)
    assert {f.category for f in seen} == {"SYSTEM_PROMPT_LEAK"}
    assert {f.note for f in seen} == {""}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I can offer a free inspection instead. When is your next ride?",
        "Complaints go to the desk in the second floor. How was your last ride?",
        "I am Vela, the assistant of a shop for bicycles. Do you want a free inspection?",
        " ".join(PROMPT.split()[: LEAK_WORDS - 2]),
        " ".join(Author(3).work(800)),
    ],
)
def test_a_phrase_of_it_is_no_leak(answer: str, following: Following) -> None:
    assert leaks(following, answer) == []


def test_the_score_is_the_share_that_is_told(following: Following) -> None:
    words = PROMPT.split()
    assert leaks(following, PROMPT)[-1].score > 0.95
    half = leaks(following, " ".join(words[: len(words) // 2]))
    assert half[-1].score == pytest.approx(0.5, abs=0.05)


def test_of_a_long_prompt_a_quote_is_no_leak_but_a_page_is(following: Following) -> None:
    words = LONG.split()
    assert leaks(following, " ".join(words[100 : 100 + 2 * LEAK_WORDS]), part(LONG)) == []
    assert leaks(following, " ".join(words[100 : 110 + LONG_TIMES * LEAK_WORDS]), part(LONG))
    pieces = [" ".join(words[at : at + 40]) for at in range(0, 800, 80)]
    assert leaks(following, " So it is said, and then goes on. ".join(pieces), part(LONG))


def test_a_short_prompt_is_no_secret(following: Following) -> None:
    short = "You are a helpful assistant. Answer briefly and do not make things up."
    assert leaks(following, short, part(short)) == []


def test_what_the_user_quotes_is_no_secret(following: Following) -> None:
    user = part(f"My prompt is this, please improve it:\n> {PROMPT}", "user")
    assert leaks(following, f"Here it is again: {PROMPT}", part(PROMPT), user) == []
    half = part(" ".join(PROMPT.split()[:30]), "user")
    assert leaks(following, PROMPT, part(PROMPT), half)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_both_roles_are_secret(role: str, following: Following) -> None:
    assert leaks(following, PROMPT, part(PROMPT, role))


def test_other_roles_are_not(following: Following) -> None:
    for role in ("user", "assistant", "tool"):
        assert leaks(following, PROMPT, part(PROMPT, role)) == []


def test_several_parts_are_one_prompt(following: Following) -> None:
    sentences = [part(sentence + ".") for sentence in PROMPT.split(". ")]
    assert sum(f.end - f.start for f in leaks(following, PROMPT, part(PROMPT))) > 0
    assert leaks(following, PROMPT, part("Be kind."), part(PROMPT, "developer"))
    assert leaks(following, PROMPT, *sentences) == []


def test_settings_that_an_answer_repeats_are_no_leak(following: Following) -> None:
    follow = following.open({"leak"}, [part(PROMPT)])
    assert follow is not None
    assert follow(Subject("system", Kind.TEXT)) is None
    assert follow(Subject("assistant", Kind.REASONING)) is not None


def test_a_prompt_is_read_once(following: Following) -> None:
    first = following.open({"leak"}, [part(PROMPT)])
    assert first is not None
    prompts = following._prompts
    assert prompts.get((PROMPT,)) is prompts.get((PROMPT,))
    assert prompts.get((PROMPT, "x")) is not prompts.get((PROMPT + "x",))


def test_no_words_of_a_prompt_are_remembered(following: Following) -> None:
    prompt = following._prompts.get((PROMPT,))
    assert all(isinstance(key, int) for key in prompt._places)
    assert not any(isinstance(value, str) for value in vars(prompt).values())
