"""What a word can be: outside, or the beginning or a further word of something of a type.

The best sequence of tags for a text is found by Viterbi's algorithm, with one rule: only what
has begun goes on.
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
