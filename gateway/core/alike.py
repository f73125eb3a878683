"""Which values are the same one, however they are written: for lists of what is harmless.

Case, Unicode's compatibility forms (UAX 15, NFKC) and how much white space there is make no
difference. Everything else does, also what shows nothing: a value that carries characters without
width is not the value that somebody looked at and found harmless.
"""

from __future__ import annotations

import unicodedata


def alike(text: str) -> str:
    """The form that all ways to write a value share; it is its own form."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding case can bring out what composes anew (Unicode 17, section 3.13, D147).
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
