"""What a word can be: outside, or the beginning or a further word of something of a type.

A word is of the type whose two tags together are likelier than not; `_tagger.py` joins such words.
"""

from __future__ import annotations

TYPES = (
    "PERSON",
    "LOCATION",
    "ORGANIZATION",
    "DATE_TIME",
    "AGE",
    "NRP",
    "OCCUPATION",
    "SEX",
    "RELATIVE",
)
# Tag 0 is outside; type i begins with 1 + 2 * i and goes on with 2 + 2 * i.
TAGS = 1 + 2 * len(TYPES)
