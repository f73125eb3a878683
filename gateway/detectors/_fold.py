"""Any text as ASCII bytes of the same length, for triggers that know only ASCII.

Folding loses nothing that a trigger must see: decimal digits, spaces, dashes and the few
letters that equal an ASCII letter when case is ignored keep their meaning; every other
character (half a surrogate pair too) becomes "?". A byte offset is a character offset.
"""

from __future__ import annotations

import re

# The zero of each run of ten decimal digits (general category Nd, Unicode 17) outside ASCII.
_ZEROS = (
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0,
    0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0,
    0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950,
    0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50,
    0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0,
    0x1E5F1, 0x1E950, 0x1FBF0,
)  # fmt: skip

_SPACES = (
    "\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
# What phone numbers may be written with (phonenumbers: _VALID_PUNCTUATION).
_JOINERS = "\xad\u200b\u2060" + "".join(map(chr, range(0x2010, 0x2016))) + "\u2212\u30fc\uff0d"

_FOLD: dict[str, str] = {
    **{chr(zero + i): str(i) for zero in _ZEROS for i in range(10)},
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_JOINERS, "-"),
    "\uff0e": ".",
    "\uff0f": "/",
    "\uff0b": "+",
    **dict.fromkeys("\uff08\uff3b", "("),
    **dict.fromkeys("\uff09\uff3d", ")"),
    **dict.fromkeys("\u2053\u223c\uff5e", "~"),
    # Letters that are equal to an ASCII letter when case is ignored.
    "\u017f": "s",
    "\u212a": "k",
    "\u0130": "i",
    "\u0131": "i",
}
# Everything above the first plane goes through the table: naming those digits one by one
# would make the search a hundred times slower.
_EXOTIC = re.compile(
    "[" + "".join(re.escape(c) for c in _FOLD if c <= "\uffff") + "\U00010000-\U0010ffff]"
)


# The same for texts of one byte a character, which most of western Europe's are.
_LATIN_1 = bytes(i if i < 0x80 else ord(_FOLD.get(chr(i), "?")) for i in range(256))


def fold(text: str) -> bytes:
    """The text as ASCII bytes, one for each character."""
    if text.isascii():
        return text.encode("ascii")
    try:
        return text.encode("latin-1").translate(_LATIN_1)
    except UnicodeEncodeError:
        pass
    if _EXOTIC.search(text):
        text = _EXOTIC.sub(lambda match: _FOLD.get(match.group(), "?"), text)
    return text.encode("ascii", "replace")
