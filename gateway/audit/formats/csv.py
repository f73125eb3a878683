"""CSV (RFC 4180) with a header: one row of plain columns an entry, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from gateway.audit.formats import Entry
from gateway.audit.formats._flat import COLUMNS, flat

# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Member:
    """Implements `Format`."""

    media_type = "text/csv; charset=utf-8; header=present"
    head = ",".join(COLUMNS) + "\r\n"

    def batch(self, entries: Sequence[Entry]) -> str:
        """One row an entry."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerows([cell(value) for value in flat(entry).values()] for entry in entries)
        return text.getvalue()


def cell(value: Any) -> Any:
    """The value, told apart from a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
