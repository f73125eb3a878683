"""Other ways in which a text can be read: what it says once a simple cipher is undone.

Each is tried only where it shows, and bounded: a reading is never much longer than the text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

MAX_CHARS = 4_096
_MAX_STRETCHES = 4

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :,-]?){12,}")
_BITS = re.compile(r"(?:[01]{8} ?){6,}")
_SPACED = re.compile(r"(?<!\w)(?:[^\W_][ .*_-]{1,6}){8,}[^\W_](?!\w)")
_LEET_WORD = re.compile(
    r"(?<![\w@$])(?=[\w@$]*[a-z])(?=[\w@$]*[013457@$])[a-z013457@$]{3,}(?![\w@$])"
)
_LEET = str.maketrans("013457@$", "oieastas")
_WORD = re.compile(r"[a-z]+")
_URLSAFE = str.maketrans("-_", "+/")
_COMMON = (
    "the and you your all ignore instructions prompt system of to is in forget reveal tell how "
    "rules previous me not what for with that this show word print"
)
_ROTATED = frozenset(codecs.encode(word, "rot13") for word in _COMMON.split())
# Without those that are words backwards, too.
_LONGER = (
    "the and you your all ignore instructions prompt system forget reveal tell how rules "
    "previous what for with that this show print write explain password"
)
_REVERSED = frozenset(word[::-1] for word in _LONGER.split())
# So many words must show it: one or two are chance.
_SHOWN = 3


def readings(text: str) -> list[str]:
    """What else the text says; empty for nearly every text."""
    text = text[:MAX_CHARS]
    lowered = text.lower()
    words = _WORD.findall(lowered)
    out = [*_encoded(text)]
    if sum(word in _ROTATED for word in words) >= _SHOWN:
        out.append(codecs.encode(text, "rot13"))
    if sum(word in _REVERSED for word in words) >= _SHOWN:
        out.append(text[::-1])
    if len(_LEET_WORD.findall(lowered)) >= _SHOWN:
        out.append(_LEET_WORD.sub(lambda match: match.group().translate(_LEET), lowered))
    if _SPACED.search(text):
        out.append(_SPACED.sub(lambda match: _closed(match.group()), text))
    return out


def _encoded(text: str) -> Iterator[str]:
    for pattern, read in ((_BASE64, _base64), (_HEX, _hex), (_BITS, _bits)):
        for count, match in enumerate(pattern.finditer(text)):
            if count >= _MAX_STRETCHES:
                break
            said = _sentence(read(match.group()))
            if said:
                # What stands around it says what is to be done with it.
                yield f"{text[: match.start()]}{said}{text[match.end() :]}"


def _base64(written: str) -> bytes:
    data = written.rstrip("=").translate(_URLSAFE)
    data = data[: len(data) - (len(data) % 4 == 1)]
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _hex(written: str) -> bytes:
    return bytes.fromhex(re.sub(r"[ :,-]", "", written))


def _bits(written: str) -> bytes:
    return bytes(int(octet, 2) for octet in re.findall(r"[01]{8}", written))


def _sentence(octets: bytes) -> str:
    """The text that these are, if it is one of at least two words."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return ""
    plain = sum(char.isalpha() or char.isspace() for char in text)
    return text if " " in text and plain >= 0.8 * len(text) else ""


def _closed(spaced: str) -> str:
    """Letters with gaps as words; wider gaps part the words."""
    return re.sub(r"[ .*_-]{2,}", " ", re.sub(r"(?<=[^\W_])[ .*_-](?=[^\W_])", "", spaced))
