"""Text in characters that show nothing: for a model to read and for nobody to see.

Tags spell ASCII (Unicode 17, section 23.9), variation selectors can stand for the 256 bytes, and
two characters without width for bits. Few of them in a row mean nothing: flags, pictures and
scripts need them. What tags spell is judged by the other detectors too (`_marks`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._options import check_keys

CATEGORY = "HIDDEN_TEXT"
# Of a run of characters that show nothing; a flag of a region is five tags behind its picture.
MIN_CHARS = 6
SPELT, RUN = 0.95, 0.6
_MIN_SPELT = 3
# In folded text each character beyond ASCII is a "?", but dashes and spaces; see `_fold`.
_TRIGGER = rf"[?\-]{{{MIN_CHARS}}}"
_FLAG = "\U0001f3f4"
_TAGS = "\U000e0001\U000e0020-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_ZERO_WIDTH = "\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_RUN = re.compile(rf"[{_TAGS}{_SELECTORS}{_ZERO_WIDTH}]{{{MIN_CHARS},}}")


def build(options: Mapping[str, Any]) -> Hidden:
    """It has no options."""
    check_keys("hidden", options, ())
    return Hidden()


class Hidden:
    """The detector. note: what the text is hidden in."""

    name = "hidden"
    version = "1"
    categories = frozenset({CATEGORY})

    def load(self) -> Sequence[Trigger]:
        """One trigger, which texts of other scripts fire, too: they are looked at closer."""
        return [Trigger("run", _TRIGGER, MIN_CHARS)]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Runs of characters that show nothing."""
        return [list(self._runs(text)) for text in texts]

    def _runs(self, text: str) -> Iterator[Finding]:
        for match in _RUN.finditer(text):
            run = match.group()
            if text[match.start() - 1 : match.start()] == _FLAG and _short_flag(run):
                continue
            said = spelt(run)
            score = SPELT if len(said) >= _MIN_SPELT else RUN
            yield Finding(self.name, CATEGORY, match.start(), match.end(), score, _carrier(run))


def spelt(run: str) -> str:
    """The text that a run of characters spells; empty if none is found."""
    tags = "".join(chr(ord(c) - 0xE0000) for c in run if "\U000e0020" <= c <= "\U000e007e")
    if len(tags) >= _MIN_SPELT:
        return tags
    octets = bytes(b for c in run if (b := _octet(c)) >= 0)
    return _readable(octets) or next(filter(None, map(_readable, _bits(run))), "")


def _octet(char: str) -> int:
    """The byte that a variation selector stands for: its number, from 0."""
    code = ord(char)
    if 0xFE00 <= code <= 0xFE0F:
        return code - 0xFE00
    return code - 0xE0100 + 16 if 0xE0100 <= code <= 0xE01EF else -1


def _bits(run: str) -> Iterator[bytes]:
    """The bytes that two kinds of characters spell, either of them being the 1."""
    kinds = sorted(set(run))
    if len(kinds) != 2:
        return
    for one in kinds:
        bits = "".join("1" if char == one else "0" for char in run)
        whole = len(bits) // 8 * 8
        yield int(bits[:whole] or "0", 2).to_bytes(whole // 8, "big")


def _readable(octets: bytes) -> str:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return ""
    return text if len(text) >= _MIN_SPELT and text.isprintable() else ""


def _short_flag(run: str) -> bool:
    """Whether tags behind a black flag are a region's: at most six, and the one that ends them."""
    return len(run) <= 7 and run.endswith("\U000e007f")


def _carrier(run: str) -> str:
    if any(c >= "\U000e0000" and c <= "\U000e007f" for c in run):
        return "tags"
    return "variation_selectors" if any(_octet(c) >= 0 for c in run) else "zero_width"
