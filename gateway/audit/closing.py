"""The closing entry of an exchange whose own process could not write one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gateway.audit import chain
from gateway.audit.tables import TEXTS
from gateway.core.ids import new_id

_KIND, _OUTCOME = TEXTS.index("kind"), TEXTS.index("outcome")


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened entry without an end. texts: as `tables.TEXTS`; data: as in its core."""

    texts: tuple[str, ...]
    data: dict[str, Any]

    @classmethod
    def of(cls, entry: chain.Made) -> Opened:
        """One that was to be written."""
        return cls(entry[2], json.loads(entry[3]))

    @classmethod
    def read(cls, core: str) -> Opened:
        """One that was read from the log."""
        found = json.loads(core)
        return cls(tuple(found[name] for name in TEXTS), found["data"])


def closing(opened: Opened, outcome: str, *, now_ms: int, **more: Any) -> chain.Made:
    """Its end: who asked and for what as in the opened entry; more: further data.

    There is nothing in it of the answer, for nobody knows.
    """
    changed = {_KIND: chain.CLOSED, _OUTCOME: outcome}
    texts = tuple(changed.get(place, text) for place, text in enumerate(opened.texts))
    return new_id(), now_ms, texts, chain.data_text({**opened.data, **more})
