"""Identifiers that sort by time."""

from __future__ import annotations

import os
import time

# Random digits that are drawn ahead, for one identifier each: one call of the system for many.
_DIGITS, _DRAWN = 20, 256
_ahead: list[str] = []
# Two processes must never share what was drawn before they parted.
os.register_at_fork(after_in_child=_ahead.clear)


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, section 5.7) as text: 48 bits of milliseconds, then random."""
    now_ms = time.time_ns() // 1_000_000
    try:
        random = _ahead.pop()
    except IndexError:
        random = _draw()
    variant = "89ab"[int(random[0], 16) & 3]
    return (
        f"{now_ms >> 16:08x}-{now_ms & 0xFFFF:04x}"
        f"-7{random[1:4]}-{variant}{random[4:7]}-{random[7:19]}"
    )


def _draw() -> str:
    """One identifier's digits; those of the next ones are kept."""
    digits = os.urandom(_DRAWN * _DIGITS // 2).hex()
    one, *more = (digits[i : i + _DIGITS] for i in range(0, len(digits), _DIGITS))
    _ahead.extend(more)
    return one
