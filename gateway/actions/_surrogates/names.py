"""Names of people: word by word, so that who is "Anna Berg" here and "Anna" there stays one.

The lists are our own. Given names are such as people of any sex have in several languages;
family names are put together from syllables, and few of them are anybody's. Another script than
the Latin one has no list yet, and a name in small letters would read as a word: both have
placeholders.
"""

from __future__ import annotations

import re
import unicodedata

from gateway.actions._surrogates.drawing import Candidates, Draw, Pick

GIVEN = (
    "Alexis", "Andrea", "Ariel", "Ashley", "Bailey", "Blair", "Camille", "Casey", "Cameron",
    "Dana", "Darcy", "Devon", "Dominique", "Elia", "Emery", "Finley", "Frankie", "Hayden",
    "Jamie", "Jessie", "Jules", "Kai", "Kelly", "Kerry", "Kim", "Kirby", "Lennox", "Leslie",
    "Logan", "Luca", "Marlow", "Maxime", "Mika", "Morgan", "Nico", "Nikola", "Noa", "Peyton",
    "Quinn", "Reese", "Remy", "Riley", "Robin", "Rowan", "Sacha", "Sascha", "Shannon", "Sidney",
    "Skyler", "Stevie", "Taylor", "Toni", "Tracy", "Valery", "Wynne", "Yael", "Yannis", "Zuri",
)  # fmt: skip
_STARTS = (
    "Ald", "Bren", "Cal", "Dor", "Elm", "Fen", "Gar", "Hal", "Ing", "Jor", "Kel", "Lor",
    "Mel", "Nor", "Ost", "Pel", "Ran", "Sol", "Tar", "Ul", "Ver", "Wes", "Yar", "Zel",
)  # fmt: skip
_ENDS = (
    "berg", "by", "den", "feld", "gren", "ham", "holt", "low", "mann", "mere", "quist", "sen",
    "stedt", "ton", "vik", "wick",
)  # fmt: skip
FAMILY = tuple(start + end for start in _STARTS for end in _ENDS)

# Words of a name that say nothing of whose it is, in the languages of the lists.
# fmt: off
_KEPT = frozenset([
    "dr", "prof", "mr", "mrs", "ms", "mx", "miss", "sir", "herr", "frau", "m", "mme", "mlle",
    "monsieur", "madame", "sr", "sra", "señor", "señora", "sig", "signor", "signora", "dhr", "mevr",
    "von", "van", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "du", "des", "la",
    "le", "zu", "zum", "zur", "af", "av", "bin", "ibn", "y", "e",
])
# fmt: on
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['\u2019]s$")
# Nobody could bring a letter back by itself, only the whole name that it stands in.
_INITIAL = "X"
# A shorter piece would be found again in too many words.
_MIN_PART = 3


def name(original: str, pick: Pick) -> str | None:
    """Another name of as many words, with the same titles, signs and capitals."""
    if any(char.isdigit() or char == "@" for char in original):
        return None
    out: list[str] = []
    done = 0
    words = [m for m in _WORD.finditer(original) if m.group().casefold() not in _KEPT]
    for nth, match in enumerate(words):
        last = nth == (0 if "," in original else len(words) - 1)
        new = _word(match.group(), pick, family=last and len(words) > 1)
        if new is None:
            return None
        out += (original[done : match.start()], new)
        done = match.end()
    whole = "".join(out) + original[done:]
    return None if not words else pick("name", original, lambda _, n: None if n else whole)


def _word(word: str, pick: Pick, *, family: bool) -> str | None:
    stem = _POSSESSIVE.sub("", word)
    if not stem[0].isupper() or not _is_latin(stem):
        return None
    if len(stem) == 1:
        return _INITIAL
    if len(stem) < _MIN_PART:
        return None
    new = pick("names", stem, _listed(FAMILY if family else GIVEN, stem), like=stem.casefold())
    return None if new is None else new + word[len(stem) :]


def _listed(names: tuple[str, ...], stem: str) -> Candidates:
    def candidate(draw: Draw, n: int) -> str | None:
        if n >= len(names):
            return None
        new = names[(draw.below(len(names)) + n) % len(names)]
        return new.upper() if stem.isupper() else new

    return candidate


def _is_latin(word: str) -> bool:
    return word.isascii() or all(
        unicodedata.name(char, "").startswith("LATIN") for char in word if char.isalpha()
    )
