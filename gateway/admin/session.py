"""Sessions of the admin page: a signed cookie that names a key and an end, never the key itself."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections import OrderedDict, deque

COOKIE = "gateway_admin"
SESSION_S = 3_600
MAX_FAILURES = 10
WINDOW_S = 60
_MAX_HOSTS = 1_024


def issue(key: bytes, key_id: str, now_ms: int) -> str:
    """The cookie's value for somebody who has just shown a key."""
    payload = _text(json.dumps([key_id, now_ms + SESSION_S * 1_000]).encode())
    return f"{payload}.{_text(_mac(key, payload))}"


def key_id_of(key: bytes, cookie: str, now_ms: int) -> str | None:
    """The id of the key in a cookie; None if it is not ours, was changed or is over."""
    payload, _, mac = cookie.partition(".")
    if not hmac.compare_digest(_bytes(mac), _mac(key, payload)):
        return None
    key_id, end_ms = json.loads(_bytes(payload))
    return str(key_id) if now_ms < end_ms else None


class Throttle:
    """Counts failed sign-ins by address: after `MAX_FAILURES` in `WINDOW_S` seconds, wait."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, host: str, now_s: float) -> int:
        """How long this address must wait; 0 if it need not."""
        times = self._failures.get(host)
        if times is None:
            return 0
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        return int(times[0] + WINDOW_S - now_s) + 1 if len(times) >= MAX_FAILURES else 0

    def fail(self, host: str, now_s: float) -> None:
        """Count one failure."""
        self._failures.setdefault(host, deque(maxlen=MAX_FAILURES)).append(now_s)
        self._failures.move_to_end(host)
        if len(self._failures) > _MAX_HOSTS:
            self._failures.popitem(last=False)


def _mac(key: bytes, payload: str) -> bytes:
    return hmac.digest(key, b"session:" + payload.encode("utf-8", "replace"), "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"==")
    except (binascii.Error, ValueError):
        return b""
