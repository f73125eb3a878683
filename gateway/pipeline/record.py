"""The two audit entries of an exchange: that it exists, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.core.clearance import LEAST
from gateway.core.exchange import Attempt, Detour, Exchange, Sensitivity, Side
from gateway.core.judgement import Route
from gateway.core.ports import Entry
from gateway.core.standing import Under
from gateway.pipeline.costing import of_answer, of_judging
from gateway.pipeline.payload import payload

OPENED = "exchange.opened"
CLOSED = "exchange.closed"
WITHHELD = "exchange.withheld"


def opened(exchange: Exchange) -> Entry:
    """What is durable before a byte goes upstream."""
    core: dict[str, Any] = {
        "endpoint": exchange.endpoint,
        "stream": exchange.stream,
        "request_bytes": exchange.request.bytes,
        "policy": {"digest": exchange.bundle_digest, "revision": exchange.bundle_revision},
        "data_class": _label(exchange.sensitivity),
        **_route(exchange),
    }
    return _entry(exchange, OPENED, core)


def closed(exchange: Exchange, *, took_ms: float) -> Entry:
    """How the exchange ended: verdicts, coverage, digests, timings. No text of either side.

    What policy has kept of the texts goes beside it.
    """
    core: dict[str, Any] = {
        "endpoint": exchange.endpoint,
        "path": exchange.path,
        "stream": exchange.stream,
        "json_mode": exchange.json_output,
        "roles": list(exchange.principal.roles),
        **({"attested": list(exchange.terms.attested)} if exchange.terms.attested else {}),
        "status": exchange.status,
        "upstream_status": exchange.upstream_status,
        "upstream_called": exchange.upstream_called,
        "attempts": [_attempt(attempt) for attempt in exchange.attempts],
        "asked_model": exchange.asked_model,
        "answer_model": exchange.answer_model,
        "policy": {"digest": exchange.bundle_digest, "revision": exchange.bundle_revision},
        "data_class": _sensitivity(exchange.sensitivity),
        **({"shadow": exchange.shadows} if exchange.shadows else {}),
        "request": _side(exchange.request, exchange.started_ms),
        "response": _side(exchange.response, exchange.started_ms),
        "labels": list(exchange.labels),
        "restored": exchange.restored,
        "usage": dict(exchange.usage),
        **of_answer(exchange),
        "error": exchange.error,
        "latency_us": {
            "total": round(took_ms * 1000),
            "first_byte": round((exchange.first_byte_ms or 0.0) * 1000),
            "judging": round(exchange.judged_ms * 1000),
        },
        **_route(exchange),
    }
    if exchange.detour is not None:
        core["detour"] = _detour(exchange.detour)
    if exchange.review is not None:
        core["review"] = {
            "id": exchange.review.review_id,
            "state": exchange.review.state.value,
            "waited_us": exchange.review.waited_ms * 1000,
        }
    if exchange.refusal is not None:
        core["refusal"] = {
            "code": exchange.refusal.code,
            "policy": exchange.refusal.policy,
            "rule": exchange.refusal.rule,
        }
    entry = _entry(exchange, CLOSED, core, outcome=exchange.outcome.value)
    kept = payload(exchange)
    return entry if kept is None else replace(entry, payload=kept)


def withheld(exchange: Exchange) -> Entry:
    """That the end of this exchange's answer was not told, for it was not durable in time."""
    return _entry(exchange, WITHHELD, {})


def _route(exchange: Exchange) -> dict[str, Any]:
    route = exchange.route
    if route is None:
        return {}
    return _place(route) | {"terms": [_under(exchange, each) for each in exchange.terms.under]}


def _place(route: Route) -> dict[str, Any]:
    return {
        "upstream_model": route.upstream_model,
        "backend": route.backend,
        "hosting": route.hosting,
        "region": route.region,
        "classes": list(route.clearance.names),
        "trains": route.trains,
        "retention_days": route.retention_days,
    }


def _detour(detour: Detour) -> dict[str, Any]:
    """How a request was judged for where it was to go, before rules sent it elsewhere."""
    asked = detour.asked
    return {
        "rules": sorted({rule for _, rule, _ in detour.effects}),
        "target": detour.target.meaning(),
        "asked": {
            "model": asked.model,
            "provider": asked.provider,
            "terms": list(asked.terms),
            **_place(asked),
        },
        "sent": list(detour.sent.names),
        "activation": detour.side.activation.record(),
    }


def _under(exchange: Exchange, under: Under) -> dict[str, Any]:
    states = [each for each in exchange.terms.states if each.profile == under.profile]
    said = [{"state": each.code, "clause": each.clause} for each in states]
    return {
        "profile": under.profile,
        "rev": under.rev,
        "acceptance": under.acceptance,
        **({"output_use": list(under.output_use)} if under.output_use else {}),
        **({"states": said} if said else {}),
    }


def _label(data: Sensitivity) -> dict[str, Any]:
    """Of what class the data is before it has been looked at, and who said so."""
    said: dict[str, Any] = {"given": list(data.given.names)}
    if data.carried != LEAST:
        said["carried"] = list(data.carried.names)
    if data.label:
        said |= {"label": list(data.label), "lowered": data.lowered}
    return said


def _sensitivity(data: Sensitivity) -> dict[str, Any]:
    return {
        **_label(data),
        "shown": list(data.shown.names),
        "sent": list(data.sent.names),
        "answered": list(data.answered.names),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "backend": attempt.backend,
        "model": attempt.model,
        "digest": attempt.digest,
        "status": attempt.status,
        "error": attempt.error,
        "rule": attempt.rule,
        "took_us": round(attempt.took_ms * 1000),
    }


def _side(side: Side, at_ms: int) -> dict[str, Any]:
    return {
        "bytes": side.bytes,
        "digest": side.digest,
        "texts": side.coverage.texts,
        "judged_chars": side.coverage.judged_chars,
        "judged_bytes": dict(sorted(side.coverage.judged_bytes.items())),
        "opaque": [
            {"path": o.path, "media_type": o.media_type, "bytes": o.size_bytes}
            for o in side.coverage.opaque[:100]
        ],
        "findings": [
            {
                "detector": detector,
                "category": category,
                "count": count,
                "max_pm": round(1000 * side.top_score[detector, category]),
                **_notes(side, detector, category),
            }
            for (detector, category), count in sorted(side.findings.items())
        ],
        **_quieted(side),
        **_consulted(side, at_ms),
        "effects": [
            {"action": action, "rule": rule, "reason": reason, "count": count}
            for (action, rule, reason), count in sorted(side.effects.items())
        ],
        **_trials(side),
        **({"activation": side.activation.record()} if side.activation else {}),
    }


def _quieted(side: Side) -> dict[str, Any]:
    """Findings that were none, for their value was marked; nothing if there were none."""
    if not side.quieted:
        return {}
    return {
        "quieted": [
            {"category": category, "mark": mark, "count": count}
            for (category, mark), count in sorted(side.quieted.items())
        ]
    }


def _trials(side: Side) -> dict[str, Any]:
    """What rules would have done that are not enforced; nothing if there was nothing.

    Apart from the effects, so that nobody who counts those takes one for the other.
    """
    if not side.trials:
        return {}
    return {
        "trials": [
            {"mode": mode.value, "action": action, "rule": rule, "reason": reason, "count": count}
            for (mode, action, rule, reason), count in sorted(side.trials.items())
        ]
    }


def _consulted(side: Side, at_ms: int) -> dict[str, Any]:
    """Whom texts were put before to be judged, beside our own detectors; nothing if nobody."""
    if not side.consulted:
        return {}
    return {
        "consulted": [
            {
                "assessor": assessor,
                "backend": backend,
                "model": model,
                "upstream_model": each.upstream_model,
                "hosting": each.hosting,
                "got": "original" if each.original else "edited",
                "texts": each.texts,
                "known": each.known,
                "calls": each.calls,
                "prompt_tokens": each.prompt_tokens,
                "completion_tokens": each.completion_tokens,
                **of_judging(each, at_ms),
                "failed": dict(sorted(each.failed.items())),
                "took_us": round(each.took_ms * 1000),
            }
            for (assessor, backend, model), each in sorted(side.consulted.items())
        ]
    }


def _notes(side: Side, detector: str, category: str) -> dict[str, list[str]]:
    notes = side.notes.get((detector, category))
    return {"notes": sorted(notes)} if notes else {}


def _entry(exchange: Exchange, kind: str, core: dict[str, Any], *, outcome: str = "") -> Entry:
    who, route = exchange.principal, exchange.route
    return Entry(
        exchange_id=exchange.id,
        kind=kind,
        core={**core, "team": who.team, "subject": exchange.concerned},
        tenant=who.tenant,
        application=who.application,
        key_id=who.key_id,
        model=route.model if route else "",
        provider=route.provider if route else "",
        outcome=outcome,
    )
