"""A text as the words that are compared: what typesetting changes makes no difference.

Case, Unicode forms (NFKC, Unicode Standard Annex 15), punctuation, white space, quotation marks,
marks of Markdown and numbers between words are passed over, a hyphen within a word and at the
end of a line, too. Scripts that put no spaces between words are read by characters. Base64 that
holds text (RFC 4648) is read as that text.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass, field

from gateway.detectors._view import view

WORD = 2
CHARACTER = 1

# Thai to Tibetan, Myanmar, Khmer, kana, Han and what extends it (Unicode 17, Blocks.txt).
_SPACELESS = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_SPACELESS += "\U00020000-\U0003ffff"
_JOINER = r"(?:['’ʼ]|[-‐‑](?:[ \t]*\r?\n[ \t]*)?)"
_PLAIN = re.compile(r"[a-z0-9]+(?:(?:'|-(?:[ \t]*\r?\n[ \t]*)?)[a-z0-9]+)*")
_LETTERS = rf"(?:[^\W_{_SPACELESS}]|[\u0300-\u036f\u00ad])+"
_ANY = re.compile(rf"[{_SPACELESS}]|{_LETTERS}(?:{_JOINER}{_LETTERS})*")
_BETWEEN = re.compile(r"[\W_]+")
_BY_CHARACTER = re.compile(f"[{_SPACELESS}]")
# A word may go on behind these.
_OPEN = re.compile(r"(?:['’ʼ]|[-‐‑][ \t]*\r?\n?[ \t]*)?")
_HYPHENS = "-‐‑"
_MAX_OPEN_CHARS = 256

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_STANDARD = {0x2D: "+", 0x5F: "/"}

Span = tuple[int, int]


@dataclass(slots=True)
class Words:
    """Words as they are compared.

    sizes: of each, WORD, or CHARACTER in a script without spaces, two of which count as a word.
    spans: where each stands; if it is empty, that is read off `plain`, the text in small letters,
    once somebody asks.
    """

    said: list[str]
    sizes: list[int]
    plain: str = ""
    spans: list[Span] = field(default_factory=list)

    def span(self, place: int) -> Span:
        """The characters [start, end) of the word at this place."""
        if not self.spans:
            # Nearly no text needs them.
            self.spans = [m.span() for m in _PLAIN.finditer(self.plain) if _said(m.group())]
        return self.spans[place]

    def drop(self, start: int) -> None:
        """Let go of the words from this character on."""
        count = len(self.said)
        while count and self.span(count - 1)[0] >= start:
            count -= 1
        del self.said[count:], self.sizes[count:]


def words(text: str) -> Words:
    """The words of a text, seen through what disguises them (`_view`). Linear."""
    seen = view(text)
    read = text if seen is None else seen.text
    if seen is None and text.isascii() and not _ENCODED.search(text):
        plain = text.lower()
        said = [w if w.isalpha() else _said(w) for w in _PLAIN.findall(plain)]
        said = [word for word in said if word]
        return Words(said, [WORD] * len(said), plain)
    found = Words([], [])
    done = 0
    for stretch in _ENCODED.finditer(read):
        decoded = _decoded(stretch.group())
        if decoded:
            _add(found, read, done, stretch.start())
            _add(found, decoded, 0, len(decoded), within=stretch.span())
            done = stretch.end()
    _add(found, read, done, len(read))
    if seen is not None:
        found.spans = [seen.span(*span) for span in found.spans]
    return found


def finished(text: str, found: Words) -> int:
    """Up to where a text's words are whole: the last one may go on behind the end of the text."""
    stripped = text.rstrip()
    if not found.said or (len(stripped) < len(text) and stripped[-1] not in _HYPHENS):
        return len(text)
    start, end = found.span(len(found.said) - 1)
    still = len(text) - start <= _MAX_OPEN_CHARS and _OPEN.fullmatch(text, end)
    return start if still else len(text)


def _add(found: Words, text: str, start: int, end: int, *, within: Span | None = None) -> None:
    """Adds the words of a stretch. within: where they count as standing, all of them."""
    for match in _ANY.finditer(text, start, end):
        token = match.group()
        said = _said(token.lower() if token.isascii() else _unified(token))
        if said:
            found.said.append(said)
            found.sizes.append(CHARACTER if _BY_CHARACTER.match(token) else WORD)
            found.spans.append(within or match.span())


def _unified(token: str) -> str:
    return unicodedata.normalize("NFKC", token).casefold()


def _said(token: str) -> str:
    """What of a token is compared; empty for a number."""
    said = token if token.isalnum() else _BETWEEN.sub("", token)
    return "" if said.isdigit() else said


def _decoded(written: str) -> str:
    """The text that a stretch of base64 holds; empty if it holds none. Padding may be missing."""
    data = written.rstrip("=").translate(_STANDARD)
    data = data[: len(data) - len(data) % 4]
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        return ""
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        # The end may cut a character in two.
        return raw[: err.start].decode() if err.start >= len(raw) - 3 else ""
