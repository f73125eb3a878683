"""Registered works in answers: what is found, what is not, whatever was changed."""

from __future__ import annotations

import base64
import random
import threading
from itertools import pairwise

import pytest

from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.detectors._verbatim import following as module
from gateway.detectors._verbatim.following import RUN_WORDS, Following
from gateway.detectors._verbatim.shingles import GUARANTEED_WORDS
from gateway.detectors._verbatim.works import Works, fingerprint
from tests.detectors.verbatim.texts import ANSWER, Author, found

KEY = b"k" * 32
# Words that a run may lose at each end: as many as two shingles of a window are apart.
LOST_WORDS = 2 * (GUARANTEED_WORDS - 4)


def registered(**texts: str) -> Following:
    works = Works([(name, fingerprint(text, KEY)) for name, text in texts.items()], KEY)
    return Following(lambda: works)


@pytest.fixture(scope="module")
def author() -> Author:
    return Author(7)


@pytest.fixture(scope="module")
def novel(author: Author) -> list[str]:
    return author.work(4_000)


@pytest.fixture(scope="module")
def following(novel: list[str]) -> Following:
    return registered(novel=" ".join(novel))


def answer(author: Author, middle: list[str], around: int = 30) -> str:
    return " ".join([*author.work(around), *middle, *author.work(around)])


@pytest.mark.parametrize(
    ("share", "length", "recall"),
    [
        (0.0, RUN_WORDS + LOST_WORDS, 1.0), (0.0, 200, 1.0),
        (0.05, 60, 0.99), (0.05, 100, 1.0),
        (0.10, 40, 0.95), (0.10, 60, 0.98), (0.10, 100, 0.99), (0.10, 200, 1.0),
        (0.20, 60, 0.85), (0.20, 100, 0.97), (0.20, 200, 0.98),
    ],
)  # fmt: skip
def test_recall_by_share_of_changed_words(
    share: float, length: int, recall: float, following: Following, novel: list[str]
) -> None:
    author, times = Author(int(share * 100) + length), 150
    parts = [author.changed(author.part(novel, length), share) for _ in range(times)]
    hits = sum(bool(found(following, answer(author, part))) for part in parts)
    assert hits / times >= recall


def test_other_works_of_the_author_are_not_taken_for_it(
    author: Author, following: Following
) -> None:
    for _ in range(60):
        assert found(following, " ".join(author.work(400))) == []


@pytest.mark.parametrize("length", [5, 10, 15, RUN_WORDS - 3])
def test_a_quoted_sentence_is_no_finding(
    length: int, author: Author, novel: list[str], following: Following
) -> None:
    for _ in range(40):
        assert found(following, answer(author, author.part(novel, length))) == []


def test_a_finding_tells_the_work_the_place_and_the_share(
    author: Author, novel: list[str], following: Following
) -> None:
    before, middle = " ".join(author.work(60)), " ".join(novel[100:220])
    text = f"{before} {middle} {' '.join(author.work(30))}"
    seen = found(following, text)
    assert {f.note for f in seen} == {"novel"}
    assert {f.category for f in seen} == {"PROTECTED_TEXT"}
    assert all(a.end <= b.start for a, b in pairwise(seen))
    start, end = seen[0].start, seen[-1].end
    assert abs(start - len(before)) < 40
    assert abs(end - len(before) - len(middle)) < 40
    assert 0.5 < max(f.score for f in seen) < 0.75


def test_an_answer_that_is_all_taken_scores_nearly_one(
    novel: list[str], following: Following
) -> None:
    assert found(following, " ".join(novel[:300]))[-1].score > 0.97


def test_each_work_is_told_apart(author: Author) -> None:
    one, two = author.work(500), author.work(500)
    both = registered(one=" ".join(one), two=" ".join(two))
    text = " ".join([*one[50:120], *author.work(40), *two[300:380]])
    assert list(dict.fromkeys(f.note for f in found(both, text))) == ["one", "two"]


@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda text: text.replace(" ", "\n"),
        lambda text: "\n".join(f"{n:4}| {line}" for n, line in enumerate(text.split(". "))),
        lambda text: "> **" + text.replace(" ", "_ _") + "**",
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.replace("e", "&#101;"),
        lambda text: text.replace("a", "a\u200b"),
    ],
)  # fmt: skip
def test_what_it_looks_like_makes_no_difference(
    disguise: object, novel: list[str], following: Following
) -> None:
    assert callable(disguise)
    assert found(following, "Here it is:\n" + disguise(" ".join(novel[500:600])))


def test_chinese_is_compared_by_characters() -> None:
    rng = random.Random(3)
    text = "".join(chr(rng.randrange(0x4E00, 0x5E00)) for _ in range(2_000))
    following = registered(book=text)
    assert found(following, "\u597d\u3002" + text[300:380])
    assert not found(following, "\u597d\u3002" + text[300 : 300 + RUN_WORDS])


def test_what_anybody_may_reproduce_is_left_out(author: Author) -> None:
    notice, own = " ".join(author.work(120)), " ".join(author.work(300))
    kept = fingerprint(f"{notice} {own}", KEY, free=notice)
    works = Works([("code", kept)], KEY)
    assert found(Following(lambda: works), notice) == []
    assert found(Following(lambda: works), own)


def test_no_text_is_kept(novel: list[str]) -> None:
    kept = fingerprint(" ".join(novel), KEY)
    for word in {w for w in novel if len(w) > 4}:
        assert word.encode() not in kept.hashes + kept.places
    assert len(kept.hashes) < 8 * 0.7 * len(novel)


def test_without_the_key_nothing_matches(novel: list[str]) -> None:
    text = " ".join(novel)
    works = Works([("novel", fingerprint(text, b"x" * 32))], KEY)
    assert found(Following(lambda: works), text) == []


def test_a_shingle_that_is_everywhere_costs_no_more() -> None:
    refrain = registered(song="la la la la " * 5_000)
    text = "la " * 20_000
    assert len(found(refrain, text)) < 400


def test_nothing_follows_where_nothing_can_be_found(following: Following) -> None:
    assert registered().open({"works", "leak"}, ()) is None
    assert following.open({"leak"}, ()) is None
    assert following.open(set(), ()) is None


def test_one_that_fails_is_a_finding_and_is_asked_no_more(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = following.open({"works"}, ())
    assert follow is not None
    follower = follow(ANSWER)
    assert follower is not None

    def fail(self: object, piece: object) -> list[Finding]:
        raise KeyError("some text")

    monkeypatch.setattr(module.WorksFollower, "take", fail)
    (failure,) = follower.feed("One two. ", final=False)
    assert (failure.category, failure.detector, failure.note) == (
        DETECTOR_ERROR,
        "works",
        "KeyError",
    )
    assert follower.feed("Three. ", final=True) == []


def test_a_fork_goes_its_own_way(novel: list[str], following: Following) -> None:
    text = " ".join(novel[:80])
    follow = following.open({"works"}, ())
    one = follow(ANSWER) if follow else None
    assert one is not None
    one.feed(text[:200], final=False)
    other = one.fork()
    first = one.feed(text[200:], final=True)
    assert first
    assert other.feed(text[200:], final=True) == first


def test_many_answers_at_once_do_not_disturb_each_other(
    novel: list[str], following: Following
) -> None:
    texts = [" ".join(novel[i * 90 : i * 90 + 70 + i]) for i in range(8)]
    alone = [found(following, text) for text in texts]
    seen: dict[int, list[list[Finding]]] = {}

    def look(at: int) -> None:
        seen[at] = [found(following, texts[at]) for _ in range(5)]

    threads = [threading.Thread(target=look, args=(at,)) for at in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == alone[at] for at, all_ in seen.items() for each in all_)
