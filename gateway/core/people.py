"""Whether two names that people give of themselves are one person's."""

from __future__ import annotations

from collections.abc import Callable

# Who somebody is that is known by a name or a gateway key's id; whoever has no key, by his name.
PersonOf = Callable[[str], str]


def same_person(one: str, other: str, person_of: PersonOf = str) -> bool:
    """Whether these are one person, however it is written: case and blanks do not count."""
    return _plain(person_of(one)) == _plain(person_of(other))


def _plain(name: str) -> list[str]:
    return name.casefold().split()
