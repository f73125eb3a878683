"""Whether two names that people give of themselves are one person's."""

from __future__ import annotations


def same_person(one: str, other: str) -> bool:
    """Whether these are one name, however it is written: case and blanks do not count."""
    return one.casefold().split() == other.casefold().split()
