"""Whether a call that failed is worth another, and after what wait.

Clients' SDKs repeat calls themselves, so this is deliberately less patient than they are:
what an upstream asks its clients to slow down for (429) is theirs to know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from gateway.core.apis import Answer
from gateway.core.errors import UpstreamError

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
# 529 is Anthropic's "overloaded" (its API reference, "Errors", 2026).
_RETRIED = frozenset({502, 503, 504, 529})
_RETRIED_IF_ASKED = frozenset({408, 500})
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")

Result = Answer | UpstreamError


def failed(result: Result) -> bool:
    """Whether another upstream may do better than this one did."""
    return isinstance(result, UpstreamError) or result.status == 429 or result.status >= 500


def worth_another(result: Result) -> bool:
    """Whether the same upstream may do better if it gets the same again.

    Upstreams and SDKs say so by `x-should-retry` (OpenAI's and Anthropic's SDKs heed it).
    """
    if isinstance(result, UpstreamError):
        return result.unanswered
    told = result.headers.get("x-should-retry", "").strip().lower()
    if told == "false":
        return False
    return result.status in _RETRIED or (told == "true" and result.status in _RETRIED_IF_ASKED)


def wait_s(result: Result, n: int, *, now_ms: int, chance: float) -> float | None:
    """Seconds to wait before the n-th retry, from 0; None if that would be too long.

    What the upstream asks for counts, else half a second that doubles each time, up to half
    of it taken off by chance (0 to 1) so that callers do not come back all at once.
    """
    told = None if isinstance(result, UpstreamError) else _told_s(result.headers, now_ms)
    if told is not None:
        return told if told <= LONGEST_WAIT_S else None
    return min(FIRST_WAIT_S * 2.0**n, LONGEST_WAIT_S) * (1 - chance / 2)


def client_repeats(headers: Mapping[str, str]) -> bool:
    """Whether this is a repetition by the client's SDK; then ours would multiply with it."""
    return headers.get("x-stainless-retry-count", "0").strip("0 ") != ""


def _told_s(headers: Mapping[str, str], now_ms: int) -> float | None:
    """Retry-After (RFC 9110, section 10.2.3: seconds or a date), or OpenAI's retry-after-ms."""
    exact, plain = headers.get("retry-after-ms", "").strip(), headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(exact):
        return float(exact) / 1000
    if _SECONDS.fullmatch(plain):
        return float(plain)
    try:
        date = parsedate_to_datetime(plain)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now_ms / 1000)
