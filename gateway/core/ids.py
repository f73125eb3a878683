"""Identifiers that sort by time."""

from __future__ import annotations

import os
import time


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, section 5.7) as text: 48 bits of milliseconds, then random."""
    now_ms = time.time_ns() // 1_000_000
    random = os.urandom(10).hex()
    variant = "89ab"[int(random[0], 16) & 3]
    return (
        f"{now_ms >> 16:08x}-{now_ms & 0xFFFF:04x}"
        f"-7{random[1:4]}-{variant}{random[4:7]}-{random[7:19]}"
    )
