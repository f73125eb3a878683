"""ArcSight Common Event Format (CEF 0, revision 26) in syslog lines (RFC 5424).

One line a closed exchange and one an act of administration. That an exchange was opened is
left out: its closed line says all of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway import __version__
from gateway.audit.chain import CLOSED, OPENED
from gateway.audit.formats import Entry
from gateway.audit.formats._flat import rfc3339
from gateway.audit.line import Line, line
from gateway.core.exchange import Outcome

# Facility 13 (log audit), severity 6 (informational) and 4 (warning): RFC 5424, section 6.2.1.
_INFORMATIONAL, _WARNING = 13 * 8 + 6, 13 * 8 + 4
_SEVERITY = {
    "block": 8,
    "require_review": 6,
    "route": 5,
    "redact": 4,
    "mask": 4,
    "pseudonymise": 4,
    "flag": 3,
}
# CEF revision 26, section "Character Encoding": a backslash stands before what has a meaning.
_IN_HEAD, _IN_EXTENSION = re.compile(r"[\\|]"), re.compile(r"[\\=]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_UNSUCCESSFUL = frozenset(Outcome) - {Outcome.COMPLETED, Outcome.DISCONNECTED}


class Member:
    """Implements `Format`."""

    media_type = "text/plain; charset=utf-8"
    head = ""

    def batch(self, entries: Sequence[Entry]) -> str:
        """One line an entry."""
        return "".join(_syslog(entry) for entry in entries if entry["kind"] != OPENED)


def _syslog(entry: Entry) -> str:
    told = line(entry)
    failed = told.outcome in _UNSUCCESSFUL
    priority = _WARNING if failed else _INFORMATIONAL
    host = re.sub(r"[^!-~]", "_", entry["replica"])[:255] or "-"
    name = re.sub(r"[^!-~]", "_", entry["kind"])[:32]
    event = _event(entry, told, failed=failed)
    return f"<{priority}>1 {rfc3339(entry['ts_ms'])} {host} gateway - {name} - {event}\n"


def _event(entry: Entry, told: Line, *, failed: bool) -> str:
    exchange = entry["kind"] == CLOSED
    signature = (told.rules[0] if told.rules else told.refusal) or entry["kind"]
    title = f"{entry['kind']} {told.outcome}".strip()
    severity = _SEVERITY.get(told.decision, 5 if failed else 1)
    parts = ("CEF:0", "responsible-use-gateway", "gateway", __version__, signature, title)
    head = "|".join(_escaped(part, _IN_HEAD) for part in parts)
    said = _exchange(entry, told, failed=failed) if exchange else _act(entry, told)
    told_of = {key: _escaped(str(value), _IN_EXTENSION) for key, value in said.items()}
    extension = " ".join(f"{key}={value}" for key, value in told_of.items() if value)
    return f"{head}|{severity}|{extension}"


def _act(entry: Entry, told: Line) -> Mapping[str, object]:
    return {
        "rt": entry["ts_ms"],
        "externalId": entry["id"],
        "suser": told.key_id,
        "suid": told.tenant,
        "cs6Label": "hash",
        "cs6": told.hash,
    }


def _exchange(entry: Entry, told: Line, *, failed: bool) -> Mapping[str, object]:
    data = entry["data"]
    usage = data.get("usage", {})
    findings = ",".join(f"{name}:{count}" for name, count in told.findings.items())
    return {
        **_act(entry, told),
        "externalId": told.exchange_id,
        "act": told.decision,
        "outcome": "failure" if failed else "success",
        "sourceServiceName": told.application,
        "request": data.get("endpoint", ""),
        "dhost": told.provider,
        "reason": told.refusal or told.error,
        "cs1Label": "model",
        "cs1": told.model,
        "cs2Label": "policy",
        "cs2": told.policy,
        "cs3Label": "findings",
        "cs3": findings,
        "cs4Label": "rules",
        "cs4": ",".join(told.rules),
        "cn1Label": "inTokens",
        "cn1": usage.get("input", 0),
        "cn2Label": "outTokens",
        "cn2": usage.get("output", 0),
        "in": data["request"]["bytes"],
        "out": data["response"]["bytes"],
    }


def _escaped(text: str, meaning: re.Pattern[str]) -> str:
    return meaning.sub(r"\\\g<0>", _CONTROLS.sub(" ", text))
