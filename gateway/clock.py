"""The time, as the machine tells it."""

from __future__ import annotations

import time


class SystemClock:
    """The real time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds on a clock that only goes forward."""
        return time.perf_counter() * 1000
