"""Ways to write a character so that it is read but not matched, and what they stand for.

A mark is written in several characters and stands for one, or for none: an HTML entity, a
percent triplet, a JSON escape, a character without width. A disguise is one character that
stands for another: full width, styled, or of another alphabet.

Where a mark ends is said as soon as it has arrived, whatever follows, so that a text in
pieces shows the same marks as the same text at once.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from html.entities import html5

# Longer names ("&DiacriticalGrave;") and more leading zeros are not read: a stream holds
# back as much as the longest mark.
MAX_CHARS = 16
# The last code point of Unicode.
_LAST = 0x10FFFF


# The characters [start, end) of a text and the one that they stand for; empty for none.
Mark = tuple[int, int, str]


def _range(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


def _ranges(chars: str, *, beyond: str = "") -> str:
    """The characters as a class of `re` holds them; one by one they would be slow to find.

    beyond: what stands for all of them beyond the first plane, if that may be more.
    """
    codes = sorted(ord(char) for char in chars if not beyond or char <= "\uffff")
    ends = [a for a, b in zip(codes, [*codes[1:], -1], strict=True) if b != a + 1]
    starts = [b for a, b in zip([-1, *codes], codes, strict=False) if b != a + 1]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True)) + beyond


# --- disguises: one character for one ---------------------------------------------------

_STYLED = (
    _range(0x2100, 0x214F)  # letterlike symbols
    + _range(0x2460, 0x24FF)  # in circles
    + _range(0xFE50, 0xFE6B)  # small forms
    + _range(0xFF01, 0xFF5E)  # full width
    + _range(0x1D400, 0x1D7FF)  # mathematical letters and digits
    + _range(0x1F130, 0x1F149)  # in squares
)
# Unicode's compatibility forms (UAX 15, NFKC) of one printable ASCII character. Raised and
# lowered digits are not among them: "m²" holds no 2.
_FORMS: dict[str, str] = {
    char: form
    for char in _STYLED
    if len(form := unicodedata.normalize("NFKC", char)) == 1 and "!" <= form <= "~"
}
# East Asian punctuation, which says something only right behind a word in ASCII.
_PUNCTUATION = "！（），：；？～"
# Behind a digit: what word processors put between the groups of a number.
_DASHES = "\u2010\u2011\u2012\u2013\u2212"
_SPACES = "\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
# The obvious ones of Unicode's confusables (UTS 39) among Cyrillic and Greek letters.
_ALIKE = dict(
    zip(
        "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅԌΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιρ",
        "aeopcyxijshdqwABEKMHOPCTYXIJSGABEZHIKMNOPTYXovip",
        strict=True,
    )
)
_FOR = {**_FORMS, **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_SPACES, " "), **_ALIKE}

# A class at the start is found quickly if it holds no more than one range beyond the first
# plane; what comes before is looked at last.
_ASTRAL = "\U00010000-\U0010ffff"
_FORM = re.compile(
    rf"[{_ranges(''.join(c for c in _FOR if c not in _ALIKE), beyond=_ASTRAL)}]"
    rf"(?:(?<![{_PUNCTUATION}{_DASHES}{_SPACES}])"
    rf"|(?<=[0-9A-Za-z][{_PUNCTUATION}])|(?<=[0-9０-９][{_DASHES}{_SPACES}]))"
)
_LETTERS = "".join(_ALIKE)
_LETTER = re.compile(f"[{_LETTERS}]")
# Looked for from the ASCII letter, which is the rarer one where there are many of the others.
_MIXED = re.compile(rf"[0-9A-Za-z](?:(?=[{_LETTERS}])|(?<=[{_LETTERS}].))")
_ALIKES = re.compile(rf"(?<=[!-~])[{_LETTERS}]+|(?<!\w)[{_LETTERS}]+(?=[0-9A-Za-z])")


def undisguised(text: str) -> tuple[str, list[int]]:
    """The text with ASCII in place of its disguises, as long as it was.

    Also where it was decided that a letter of another alphabet stands for one of ASCII, if
    that was by what follows: as with marks, a detector must look there.
    """
    decided: list[int] = []
    text = _FORM.sub(lambda match: _FOR.get(match.group(), match.group()), text)
    if _LETTER.search(text) and _MIXED.search(text):
        decided = [m.end() + 1 for m in _ALIKES.finditer(text) if not _behind_ascii(m)]
        text = _ALIKES.sub(lambda m: "".join(map(_ALIKE.__getitem__, m.group())), text)
    return text, decided


def _behind_ascii(match: re.Match[str]) -> bool:
    return match.start() > 0 and "!" <= match.string[match.start() - 1] <= "~"


# --- marks: several characters for one, or one for none ---------------------------------

_TAGS = {chr(0xE0000 + code): chr(code) for code in range(0x20, 0x7F)}
_BETWEEN = "\u200c\u200d\u200e\u200f\ufe0e"
_PICTURE_SIGN = "\ufe0f"
_ALWAYS = (
    "\xad\u034f\u061c\u115f\u180b\u180c\u180d\u180e\u200b\u3164\ufeff\uffa0"
    + _range(0x202A, 0x202E)
    + _range(0x2060, 0x2064)
    + _range(0x2066, 0x206F)
    + _range(0xFE00, 0xFE0D)
    + "\U000e0001\U000e007f"
    + "".join(_TAGS)
    + _range(0xE0100, 0xE01EF)
)
_WIDTHLESS = _ALWAYS + _BETWEEN + _PICTURE_SIGN
_SAID = {**_FOR, **dict.fromkeys(_WIDTHLESS, "")}
# Pictures, which variation selectors and joiners belong to. None is a form of a letter.
_PICTURES = (
    "©®‼⁉™ℹ\u2190-\u21ff\u231a-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff〰〽㊗㊙"
    "\U0001f000-\U0001f12f\U0001f14a-\U0001faff"
)
# Letters of scripts from Hebrew to Sinhala: their words need joiners and marks of direction.
_SHAPED = "\u0590-\u065f\u066a-\u06ef\u06fa-\u08ff\u0900-\u0965\u0970-\u0dff"
# These look back over a character that has been matched: it is quicker found first.
_NO_PICTURE = rf"(?<![{_PICTURES}].)(?<![{_PICTURES}]\ufe0f.)"
# A digit's keycap is a picture too; what follows is waited for.
_NO_KEYCAP = r"(?!\u20e3|\Z)"
_ALWAYS_ = _ranges(_ALWAYS)
_FIRST = (
    rf"(?:(?<=[{_ALWAYS_}])"
    rf"|(?<=[\u200c\u200e\u200f])(?<![{_SHAPED}].)"
    rf"|(?<=\u200d)(?<![{_SHAPED}].){_NO_PICTURE}"
    rf"|(?<=\ufe0e){_NO_PICTURE}"
    rf"|(?<=\ufe0f){_NO_PICTURE}{_NO_KEYCAP})"
)
_FURTHER = rf"(?:[{_ALWAYS_}{_BETWEEN}]+|\ufe0f{_NO_KEYCAP})*"
_HEX = "[0-9A-Fa-f]"
_PAIR = rf"[dD][89abAB]{_HEX}{{2}}\\{{1,3}}u[dD][c-fC-F]{_HEX}{{2}}"
_PERCENT = rf"{_HEX}{{2}}(?:%{_HEX}{{2}})*"
_ENTITY = rf"(?:#(?:[0-9]{{1,12}}|[xX]{_HEX}{{1,12}});?|[A-Za-z][A-Za-z0-9]{{1,13}};)"
_ESCAPE = rf"\\{{0,2}}(?:u{_PAIR}|u{_HEX}{{4}}|x{_HEX}{{2}})"
_ASCII_MARK = re.compile(rf"%{_PERCENT}|&{_ENTITY}|\\{_ESCAPE}")
_MARK = re.compile(
    rf"[%&\\{_ranges(_WIDTHLESS, beyond=_ASTRAL)}]"
    rf"(?:(?<=%){_PERCENT}|(?<=&){_ENTITY}|(?<=\\){_ESCAPE}|{_FIRST}{_FURTHER})",
    re.DOTALL,
)
# What a text must hold to be worth a closer look.
_ODD = re.compile(f"[{_ranges(_WIDTHLESS + ''.join(_FOR), beyond=_ASTRAL)}]")
_LEADS = "%&\\"
# A run of at least this many tags spells a text of its own; fewer only come between others.
_TAG_TEXT_CHARS = 3


def suspicious(text: str) -> bool:
    """Whether there may be marks or disguises. False costs next to nothing."""
    if "%" in text or "&" in text or "\\" in text:
        return True
    return not text.isascii() and _ODD.search(text) is not None


def marks(text: str, ends: array[int] | None = None) -> Iterator[Mark]:
    """The marks in a text, ascending. ends: takes up the places where a detector must look."""
    for match in (_ASCII_MARK if text.isascii() else _MARK).finditer(text):
        start, end = match.span()
        found = _read(text, start, end)
        if ends is not None:
            if text[start] in _LEADS:
                ends.extend([end for _, end, _ in found])
            else:
                # Each may arrive alone. Some are known by the character that follows, so all
                # are told there.
                ends.extend(range(start + 2, min(end + 1, len(text)) + 1))
        yield from found


def marks_at(text: str, places: Iterable[int]) -> list[Mark]:
    """The marks that begin at these places, ascending."""
    found: list[Mark] = []
    done = 0
    for place in places:
        match = _ASCII_MARK.match(text, place) if place >= done else None
        if match:
            found += _read(text, *match.span())
            done = match.end()
    return found


def leads(said: str) -> bool:
    """Whether a mark may begin with this character."""
    return said != "" and said in _LEADS


def _read(text: str, start: int, end: int) -> Sequence[Mark]:
    """What is written at [start, end), where something looks like marks."""
    first = text[start]
    if first == "%":
        return _percent(text[start:end], start)
    if first not in _LEADS:
        return _widthless(text[start:end], start)
    char = (_entity if first == "&" else _escape)(text[start:end])
    return [(start, end, _SAID.get(char, char))] if char else []


def _percent(written: str, at: int) -> Sequence[Mark]:
    """RFC 3986, section 2.1: octets, of UTF-8. Others are left as they stand."""
    octets = bytes.fromhex(written.replace("%", ""))
    if octets.isascii():
        return [(at + 3 * i, at + 3 * i + 3, chr(octet)) for i, octet in enumerate(octets)]
    found: list[Mark] = []
    for char in octets.decode("utf-8", "surrogateescape"):
        end = at + 3 * len(char.encode("utf-8", "surrogateescape"))
        if not "\udc80" <= char <= "\udcff":
            found.append((at, end, _SAID.get(char, char)))
        at = end
    return found


def _entity(written: str) -> str:
    """HTML, sections 13.2.5 (character references) and 13.5 (their names)."""
    if written[1] != "#":
        char = html5.get(written[1:], "")
        return char if len(char) == 1 else ""
    digits = written[2:].rstrip(";")
    return _char(int(digits[1:], 16) if digits[0] in "xX" else int(digits))


def _escape(written: str) -> str:
    """RFC 8259, section 7, with as many backslashes as nesting leaves; also C's with an x."""
    digits = written.lstrip("\\")
    if len(digits) <= len("u0000"):
        return _char(int(digits[1:], 16))
    high, low = int(digits[1:5], 16), int(digits[-4:], 16)
    return _char(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))


def _char(code: int) -> str:
    return chr(code) if 0 < code <= _LAST and not 0xD800 <= code <= 0xDFFF else ""


def _widthless(run: str, at: int) -> Sequence[Mark]:
    """Characters that show nothing; tags in a run are read as the ASCII that they repeat."""
    if len(run) < _TAG_TEXT_CHARS or sum(map(_TAGS.__contains__, run)) < _TAG_TEXT_CHARS:
        return [(at, at + len(run), "")]
    return [(i, i + 1, _TAGS.get(char, "")) for i, char in enumerate(run, at)]
