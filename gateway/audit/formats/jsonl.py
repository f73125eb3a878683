"""JSON Lines: each entry as it is, with its hash and its place in the tree."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.audit.formats import Entry


class Member:
    """Implements `Format`."""

    media_type = "application/x-ndjson"
    head = ""

    def batch(self, entries: Sequence[Entry]) -> str:
        """One line an entry."""
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
