"""Texts that look like prose, made from a seed, and what becomes of them on the way."""

from __future__ import annotations

import random
from collections.abc import Sequence

from gateway.core.judgement import Finding, Subject
from gateway.core.message import Kind, Part
from gateway.core.ports import Following
from gateway.core.segments import stretches

_SMALL = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "that",
    "is",
    "was",
    "he",
    "for",
    "it",
    "with",
    "as",
    "his",
    "on",
    "be",
    "at",
    "by",
    "had",
    "not",
    "are",
    "but",
    "from",
    "or",
    "have",
    "an",
    "they",
    "which",
    "one",
    "you",
    "were",
    "all",
    "her",
    "she",
    "there",
    "would",
    "their",
    "we",
    "him",
    "been",
    "has",
    "when",
    "who",
]
_ENDS = ["n", "r", "s", "t", "l", "ing", "ed", "er"]
ANSWER = Subject("assistant", Kind.TEXT)


class Author:
    """Writes works from one vocabulary, with stock phrases that stand in all of them."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._words = [self._word() for _ in range(1_500)]
        self._phrases = [self._some(6) for _ in range(40)]

    def work(self, words: int) -> list[str]:
        """So many words, more or less: sentences, every fourth with a stock phrase."""
        out: list[str] = []
        while len(out) < words:
            sentence = self._some(self._rng.randint(6, 22))
            if self._rng.random() < 0.25:
                sentence += self._rng.choice(self._phrases)
            sentence[0] = sentence[0].capitalize()
            sentence[-1] += "."
            out += sentence
        return out

    def changed(self, words: Sequence[str], share: float) -> list[str]:
        """The same with that share of the words replaced, left out, or with one put in before."""
        out: list[str] = []
        for word in words:
            if self._rng.random() >= share:
                out.append(word)
                continue
            kind = self._rng.random()
            out += [self._word()] if kind < 0.8 else [] if kind < 0.9 else [self._word(), word]
        return out

    def part(self, words: Sequence[str], count: int) -> list[str]:
        """So many words in a row from somewhere."""
        start = self._rng.randrange(len(words) - count)
        return list(words[start : start + count])

    def _some(self, count: int) -> list[str]:
        return [
            self._rng.choice(_SMALL) if self._rng.random() < 0.45 else self._rng.choice(self._words)
            for _ in range(count)
        ]

    def _word(self) -> str:
        rng = self._rng
        syllables = (
            rng.choice("bcdfghklmnprstvw") + rng.choice("aeiou") for _ in range(rng.randint(1, 3))
        )
        return "".join(syllables) + rng.choice(_ENDS)


def found(following: Following, text: str, said: Sequence[Part] = ()) -> list[Finding]:
    """What is found in an answer as a whole."""
    follow = following.open(following.detectors, said)
    follower = follow(ANSWER) if follow else None
    if follower is None:
        return []
    out: list[Finding] = []
    start = 0
    for end in stretches(text, final=True):
        out += follower.feed(text[start:end], final=end == len(text))
        start = end
    return out
