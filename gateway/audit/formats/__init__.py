"""How entries are written for other systems.

A family: each module here without a leading underscore is one format and holds a class
`Member` that follows `Format`. Installed packages join through the entry-point group
`gateway.audit.formats`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gateway.core.errors import ConfigError
from gateway.core.family import discover

GROUP = "gateway.audit.formats"

Entry = Mapping[str, Any]


class Format(Protocol):
    """Writes entries as `gateway.audit.placed` gives them.

    media_type: of what `head` and `batch` give. head: what a file begins with. A file is its
    head and then batches, as many as there are.
    """

    media_type: str
    head: str

    def batch(self, entries: Sequence[Entry]) -> str:
        """These entries; empty if the format has nothing to say of them."""


def names() -> list[str]:
    """All formats there are."""
    return list(discover(__name__, GROUP))


def named(name: str) -> Format:
    """The format of this name. Raises ConfigError."""
    found = discover(__name__, GROUP)
    if name not in found:
        raise ConfigError(f"There is no format {name[:40]!r}. Known: {', '.join(found)}.")
    member: Format = found[name].Member()
    return member
