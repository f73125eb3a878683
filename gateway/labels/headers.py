"""The response headers that mark an answer and say what was decided about it.

`AI-Disclosure` follows draft-abaris-aicdh-01 (30 January 2026), a Structured Field
Dictionary (RFC 9651); the `Gw-*` headers are our own. Headers leave before the first
token, so they never hold a digest of the content.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.exchange import Exchange, Outcome

# The actions that let an exchange go on, the strictest first; the record has the same words.
_DECISIONS = ("route", "redact", "mask", "pseudonymise", "label", "flag")
# Of all warnings together; what has no room is in the record alone.
_MAX_WARNING_BYTES = 4_096
_MAX_WARNING_CHARS = 400
_ANSWERED = (Outcome.COMPLETED, Outcome.DISCONNECTED)


def headers(exchange: Exchange, *, now_s: int, policy: str, revision: str) -> dict[str, str]:
    """The headers for an answer, from what is known when its first byte leaves.

    now_s: seconds since 1970. policy, revision: names of the bundle in force.
    """
    generated = 200 <= exchange.upstream_status < 300 and exchange.outcome in _ANSWERED
    labels = ["http"]
    found = {
        "x-request-id": exchange.id,
        "gw-request-id": exchange.id,
        "gw-decision": f"{decision(exchange)};policy={quoted(policy)};rev={quoted(revision)}",
        "ai-disclosure": "mode=none",
    }
    if generated and exchange.route is not None:
        model = exchange.answer_model or exchange.route.upstream_model
        found["ai-disclosure"] = (
            f"mode=machine-generated, model={quoted(model)}, "
            f"provider={quoted(exchange.route.provider)}, date=@{now_s}"
        )
        found["gw-model"] = quoted(exchange.route.model)
        if exchange.asked_model not in ("", exchange.route.model):
            found["gw-asked-model"] = quoted(exchange.asked_model)
        found["gw-provenance"] = f'id="urn:uuid:{exchange.id}"'
        labels.append("log")
    if warnings := exchange.warnings:
        found["gw-warning"] = warned(warnings)
    if exchange.review is not None:
        review = exchange.review
        found["gw-review"] = f"{quoted(review.review_id)};state={review.state.value}"
    if generated and exchange.terms.notices:
        found["gw-notice"] = ", ".join(map(displayed, exchange.terms.notices))
    found["gw-labels"] = ", ".join(labels)
    exchange.labels = labels
    return found


def decision(exchange: Exchange) -> str:
    """The strictest action taken so far, or "error", as a Structured Field Token."""
    if exchange.outcome is Outcome.BLOCKED:
        return "block"
    if exchange.review is not None and exchange.outcome is Outcome.REFUSED:
        return "require_review"
    if exchange.outcome not in _ANSWERED:
        return "error"
    done = {action for action, _, _ in exchange.request.effects + exchange.response.effects}
    return next((action for action in _DECISIONS if action in done), "allow")


def warned(warnings: Mapping[str, str]) -> str:
    """A Structured Field List: who warns, as a String, with the words as the parameter `message`.

    Words that are too long are cut; warnings that have no room are left out.
    """
    found = ""
    for source, words in warnings.items():
        item = f"{quoted(source)};message={displayed(words[:_MAX_WARNING_CHARS])}"
        if len(found) + len(item) > _MAX_WARNING_BYTES:
            break
        found += f", {item}" if found else item
    return found


def displayed(text: str) -> str:
    """A Display String (RFC 9651, section 3.3.8): any language, in what a header can hold."""
    return '%"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if " " <= char <= "~" and char not in '%"':
        return char
    return "".join(f"%{byte:02x}" for byte in char.encode())


def quoted(text: str) -> str:
    """A Structured Field String (RFC 9651, section 3.3.3); what it cannot hold becomes "?"."""
    safe = text
    if not (text.isascii() and text.isprintable()):
        safe = "".join(c if " " <= c <= "~" else "?" for c in text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'
