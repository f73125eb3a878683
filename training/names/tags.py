"""What a word can be: outside, or the begin or inside of something of a type."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.detectors._tags import TYPES

# Types of the data sets that are one here; what is not in KEPT then is not learned.
RENAMED: Mapping[str, str] = {
    **dict.fromkeys(
        ("STREET_ADDRESS", "GPE", "ZIP_CODE", "STREET", "CITY", "STATE", "COUNTRY"), "LOCATION"
    ),
}
KEPT = frozenset(TYPES)
