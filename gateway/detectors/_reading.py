"""What a text says besides its numbers, worked out once and only if somebody asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from gateway.detectors._labels import Labels, Vocabulary

# Hyphenated words are one word ("Steuer-ID"); numbers and marks stand by themselves.
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\w+|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a recogniser found: characters [start, end), and how sure it is.

    score: context included. checked: whether its check digits were right.
    gap: characters to the words that say what it is; None if there are none.
    """

    start: int
    end: int
    score: float
    checked: bool = False
    gap: int | None = None


class Reading:
    """A text, its labels and its words."""

    def __init__(self, text: str, vocabulary: Vocabulary, stop_words: frozenset[str]) -> None:
        self.text = text
        self._vocabulary = vocabulary
        self._stop_words = stop_words

    @cached_property
    def labels(self) -> Labels:
        """Words that say what numbers are."""
        return self._vocabulary.read(self.text)

    @cached_property
    def words(self) -> Words:
        """All words, as Presidio's context enhancer reads them."""
        return Words(self.text, self._stop_words)


class Words:
    """A text's words as Presidio's context enhancer reads them (its NlpArtifacts)."""

    def __init__(self, text: str, stop_words: frozenset[str]) -> None:
        matches = list(_WORD.finditer(text))
        self.tokens = [match.group() for match in matches]
        self.tokens_indices = [match.start() for match in matches]
        self.lemmas = self.tokens
        self.keywords = {
            word
            for word in (token.lower() for token in self.tokens)
            if word[0].isalnum() and word not in stop_words
        }
