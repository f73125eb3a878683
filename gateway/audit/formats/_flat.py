"""An entry as one row of plain columns, for tables and archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.audit.formats import Entry
from gateway.audit.line import line

# In this order in a table. `index` is the place in the tree; docs/audit.md says the rest.
COLUMNS: dict[str, type] = {
    "index": int,
    "time": str,
    "ts_ms": int,
    "kind": str,
    "exchange_id": str,
    "outcome": str,
    "decision": str,
    "tenant": str,
    "application": str,
    "team": str,
    "key_id": str,
    "model": str,
    "provider": str,
    "region": str,
    "hosting": str,
    "endpoint": str,
    "status": int,
    "input_tokens": int,
    "output_tokens": int,
    "rules": str,
    "categories": str,
    "refusal": str,
    "error": str,
    "policy": str,
    "terms": str,
    "replica": str,
    "epoch": int,
    "n": int,
    "hash": str,
}


def flat(entry: Entry) -> dict[str, Any]:
    """A value for each of `COLUMNS`; lists are joined by commas, what is not there is empty."""
    told, data = line(entry), entry.get("data", {})
    usage = data.get("usage", {})
    row = {
        "time": rfc3339(entry["ts_ms"]),
        "decision": told.decision,
        "status": told.status,
        "input_tokens": usage.get("input", 0),
        "output_tokens": usage.get("output", 0),
        "rules": ",".join(told.rules),
        "categories": ",".join(sorted(told.findings)),
        "refusal": told.refusal,
        "policy": told.policy,
        "terms": ",".join(_terms(data.get("terms", ()))),
    }
    return {
        name: row[name] if name in row else _word(entry.get(name, data.get(name)), kind)
        for name, kind in COLUMNS.items()
    }


def _terms(said: str | Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """PROFILE@REVISION of each; older entries have one id as it is."""
    if isinstance(said, str):
        yield said
    else:
        yield from (f"{each['profile']}@{each['rev']}" for each in said)


def rfc3339(ts_ms: int) -> str:
    """A time in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(ts_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: Any, kind: type) -> Any:
    """What is told in more than one word (other kinds of entries have such) stays in `core`."""
    return value if isinstance(value, kind) else kind()
