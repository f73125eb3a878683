"""Where a client puts its gateway key: wherever its vendor's clients put theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The first that is there counts, behind `Authorization`.
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
KEY_QUERY = "key"


def key_of(headers: Mapping[str, str], query: Sequence[tuple[str, str]]) -> str:
    """The gateway key of a request; empty if it has none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    for name in KEY_HEADERS:
        if headers.get(name):
            return headers[name].strip()
    return dict(query).get(KEY_QUERY, "")
