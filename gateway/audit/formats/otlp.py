"""OTLP logs in JSON, one request body a batch, for POST to a collector's /v1/logs.

OpenTelemetry protocol 1.7, "JSON Protobuf Encoding"; attributes follow the semantic
conventions for generative AI (development status, 2026) where they have a name, else our own
`gateway.*`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway import __version__
from gateway.audit.formats import Entry
from gateway.audit.formats._flat import flat

# Severity numbers of the log data model.
_INFO, _WARN = 9, 13
_NAMES = {
    "model": "gen_ai.request.model",
    "provider": "gen_ai.provider.name",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "status": "http.response.status_code",
    "endpoint": "url.path",
}
_NOT_TOLD = frozenset({"time", "ts_ms", "kind"})


class Member:
    """Implements `Format`."""

    media_type = "application/json"
    head = ""

    def batch(self, entries: Sequence[Entry]) -> str:
        """One ExportLogsServiceRequest on a line."""
        if not entries:
            return ""
        scope = {"name": "gateway.audit", "version": __version__}
        resource = {"attributes": [_attribute("service.name", "responsible-use-gateway")]}
        records = [_record(entry) for entry in entries]
        body = {
            "resourceLogs": [
                {"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}
            ]
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"


def _record(entry: Entry) -> dict[str, Any]:
    row = flat(entry)
    told = {
        _NAMES.get(name, f"gateway.{name}"): value
        for name, value in row.items()
        if name not in _NOT_TOLD and value != ""
    }
    severe = row["decision"] == "block" or bool(row["error"])
    return {
        "timeUnixNano": str(entry["ts_ms"] * 1_000_000),
        "severityNumber": _WARN if severe else _INFO,
        "severityText": "WARN" if severe else "INFO",
        "eventName": entry["kind"],
        "attributes": [_attribute(name, value) for name, value in told.items()],
    }


def _attribute(key: str, value: str | int) -> dict[str, Any]:
    """64-bit numbers are written as strings, as protobuf's JSON form has them."""
    kind = {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}
    return {"key": key, "value": kind}
