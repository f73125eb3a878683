"""What of a session is not text: judged once for each kind of it, counted every time.

Sound comes in dozens of events a second; a finding for each would say nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.core.exchange import Side
from gateway.core.judgement import Refusal
from gateway.core.message import Opaque
from gateway.pipeline.guard import Guard
from gateway.pipeline.shapes import Shapes


@dataclass(slots=True)
class _Met:
    """at: where in the coverage it is counted. refusal: what is said to it; None: it may pass."""

    at: int
    refusal: Refusal | None


class Media:
    """The opaque content of one direction of a session."""

    def __init__(self, side: Side, shapes: Shapes) -> None:
        self._side = side
        self._shapes = shapes
        self._met: dict[tuple[str, str], _Met] = {}

    def judge(self, items: Sequence[Opaque], guard: Guard) -> None:
        """Judge these by a guard; of a kind that was judged before, what was said then holds."""
        counted = self._side.coverage.opaque
        for item in items:
            key = self._shapes(item.path), item.media_type
            met = self._met.get(key)
            if met is None:
                before, guard.refusal = guard.refusal, None
                at = len(counted)
                guard.opaque((item,), self._shapes)
                self._met[key] = met = _Met(at, guard.refusal)
                guard.refusal = before
            else:
                known = counted[met.at]
                counted[met.at] = replace(known, size_bytes=known.size_bytes + item.size_bytes)
            if guard.refusal is None:
                guard.refusal = met.refusal
