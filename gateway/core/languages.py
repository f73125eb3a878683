"""Which language a caller reads, from what its client says.

Accept-Language is RFC 9110, section 12.5.4; a range finds a tag by lookup (RFC 4647, section
3.4), and also the other way round: who asks for "de" can read "de-AT".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

DEFAULT = "en"
# As much of BCP 47 as anyone writes: language, script, region.
TAG = r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
_MAX_CHARS = 1_000
_RANGE = re.compile(rf"\s*({TAG})\s*(?:;\s*[qQ]=(0(?:\.\d{{0,3}})?|1(?:\.0{{0,3}})?)\s*)?")


def accepted(header: str) -> tuple[str, ...]:
    """The languages of an Accept-Language header, best first, in small letters.

    What cannot be read, "*", and what is not wanted (q=0) is left out.
    """
    if not header:
        return ()
    found: dict[str, float] = {}
    for item in header[:_MAX_CHARS].split(","):
        match = _RANGE.fullmatch(item)
        if match:
            found.setdefault(match[1].lower(), float(match.groups()[-1] or 1))
    ranked = sorted(found, key=lambda tag: -found[tag])
    return tuple(tag for tag in ranked if found[tag])


def readable(languages: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Those of the known tags that somebody can read who accepts these languages, best first."""
    found: dict[str, None] = {}
    for language in languages:
        steps = language.split("-")
        for length in range(len(steps), 0, -1):
            found |= dict.fromkeys(t for t in known if t == "-".join(steps[:length]))
        found |= dict.fromkeys(t for t in sorted(known) if t.startswith(f"{language}-"))
    return tuple(found)


def choose(texts: Mapping[str, str], readable: Collection[str]) -> str:
    """The text in the first language that there is one in; else English, else the first."""
    for tag in (*readable, DEFAULT):
        if tag in texts:
            return texts[tag]
    return next(iter(texts.values()), "")
