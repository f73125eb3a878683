"""Parameters of actions: each is named once, for reading a rule and for the schema of rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any


def known_only(given: Iterable[str], known: Collection[str], of: str = "") -> None:
    """Raises ValueError for a name that is none of the known ones. of: what they stand under."""
    for name in given:
        if name not in known:
            under = f" of {of}" if of else ""
            raise ValueError(f"unknown parameter {name!r}{under}. Known: {', '.join(known)}.")


def described(form: dict[str, Any], description: str, **more: Any) -> dict[str, Any]:
    """A form of JSON Schema, with what an editor says about it."""
    return {**form, "description": description, **more}
