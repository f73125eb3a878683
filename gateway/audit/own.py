"""What the owner of a key may know of an exchange made with it: what was decided, and why.

Less than an auditor sees: no digests, no times, nothing of how upstreams were called. No text,
for the log holds none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select

from gateway.audit.chain import CLOSED, OPENED
from gateway.audit.tables import audit_entry
from gateway.core.judgement import Mode
from gateway.db import snapshot

_ROUTE = (
    "backend",
    "upstream_model",
    "hosting",
    "region",
    "terms",
    "classes",
    "trains",
    "retention_days",
)
_REFUSAL = ("code", "policy", "rule")
_SIDES = ("request", "response")


def explained(engine: Engine, exchange_id: str, key_id: str) -> dict[str, Any] | None:
    """An exchange that was made with this key, JSON-ready; None if there is none.

    exchange_id: the whole id. Blocks for one query.
    """
    columns = audit_entry.c
    statement = select(columns.kind, columns.core).where(
        columns.exchange_id == exchange_id,
        columns.key_id == key_id,
        columns.kind.in_((OPENED, CLOSED)),
    )
    with snapshot(engine) as connection:
        cores = {row.kind: json.loads(row.core) for row in connection.execute(statement)}
    core = cores.get(CLOSED) or cores.get(OPENED)
    return _told(core) if core else None


def _told(core: Mapping[str, Any]) -> dict[str, Any]:
    data = core["data"]
    sides = {name: data[name] for name in _SIDES if name in data}
    refusal = data.get("refusal")
    return {
        "id": core["exchange_id"],
        "object": "exchange.explanation",
        "outcome": core["outcome"] or "open",
        "status": data.get("status", 0),
        "endpoint": data["endpoint"],
        "model": core["model"],
        "asked_model": data.get("asked_model") or core["model"],
        "answer_model": data.get("answer_model", ""),
        "route": {"provider": core["provider"], **{k: data[k] for k in _ROUTE if k in data}},
        "data_class": data.get("data_class", {}),
        "policy": data["policy"],
        "refusal": {k: refusal[k] for k in _REFUSAL} if refusal else None,
        "rules": [_rule(name, effect) for name in sides for effect in sides[name]["effects"]],
        "warnings": [
            _rule(name, trial)
            for name in sides
            for trial in sides[name].get("trials", ())
            if trial["mode"] == Mode.WARN
        ],
        "categories": {name: _categories(side) for name, side in sides.items()},
        "notes": {name: _notes(side) for name, side in sides.items()},
        "coverage": {name: _coverage(side) for name, side in sides.items()},
        "restored": data.get("restored", 0),
        "labels": data.get("labels", []),
    }


def _rule(direction: str, effect: Mapping[str, Any]) -> dict[str, Any]:
    policy, _, rule = effect["rule"].partition("/")
    return {
        "direction": direction,
        "policy": policy,
        "rule": rule,
        "action": effect["action"],
        "reason": effect["reason"],
        "count": effect["count"],
    }


def _categories(side: Mapping[str, Any]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for finding in side["findings"]:
        counts[finding["category"]] += finding["count"]
    return dict(sorted(counts.items()))


def _notes(side: Mapping[str, Any]) -> dict[str, list[str]]:
    """What findings say besides their category, as which work; older entries have none."""
    found: dict[str, set[str]] = {}
    for finding in side["findings"]:
        if finding.get("notes"):
            found.setdefault(finding["category"], set()).update(finding["notes"])
    return {category: sorted(notes) for category, notes in sorted(found.items())}


def _coverage(side: Mapping[str, Any]) -> dict[str, Any]:
    opaque = [{"media_type": o["media_type"], "bytes": o["bytes"]} for o in side["opaque"]]
    return {
        "bytes": side["bytes"],
        "texts": side["texts"],
        "judged_chars": side["judged_chars"],
        "opaque": opaque,
    }
