"""What can be learned from texts that nobody has marked: which words are surely no names.

Names are seldom written in small letters, and a word that begins a sentence with a capital is
none if it is common in small letters elsewhere. Of everything else nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.detectors._hashed import split

UNTOLD = -1
# So often a word stands in small letters where it is called common.
COMMON = 4
_ENDS = frozenset('.!?:\n*#-"“')


def common_words(texts: Iterable[str]) -> frozenset[str]:
    """Those that stand in small letters often enough."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = split([text])
        counts.update(words.known[i] for i in words.which)
    return frozenset(word for word, count in counts.items() if count >= COMMON and word.islower())


def told(words: Sequence[str], common: frozenset[str]) -> list[int]:
    """0 for each word that is no part of a name, UNTOLD for those that may be one."""
    open_ = [_open(words, i, common) for i in range(len(words))]
    out = []
    for i, word in enumerate(words):
        before, after = any(open_[max(0, i - 1) : i]), any(open_[i + 1 : i + 2])
        beside = before or after if word.isdigit() else before and after
        out.append(UNTOLD if open_[i] or beside else 0)
    return out


def _open(words: Sequence[str], i: int, common: frozenset[str]) -> bool:
    """Whether a word looks as if it could be a name."""
    word = words[i]
    if not any(c.isupper() for c in word) and (not word.isalpha() or word.islower()):
        return False
    begins = i == 0 or words[i - 1][0] in _ENDS or "\n" in words[i - 1]
    return not (begins and word.lower() in common)
