"""How much memory detection holds after many texts: `scripts/bench-memory`.

The gateway's own inspector with its worker processes judges texts that are all new; the memory
of both is told along the way, and how many workers were replaced for holding too much. Where one
was, growth may hide behind it: that counts as growth.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.processes import usage
from benchmarks.varied import Varied
from gateway import settings
from gateway.configured import inspector as configured
from gateway.core import segments
from gateway.core.windows import windows
from gateway.detectors._inspector import PooledInspector
from gateway.settings import Settings

AT_ONCE = 16
DEADLINE_S = 60
STEPS = 20
# The memory of findings fills and arenas grow at first; from here on it must stay as it is.
SETTLED_SHARE = 0.4
ALLOWED_GROWTH = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """Resident memory after so many texts. workers_mb: of all workers together.

    replaced: workers that are not there any more, since the first text.
    """

    texts: int
    parent_mb: float
    workers_mb: float
    replaced: int


async def measure(found: Settings, texts: int) -> list[Held]:
    """What is held along the way, at `STEPS` places."""
    made, out = Varied("memory"), []
    inspector = configured(found)
    await inspector.start()
    first = known = frozenset(inspector.pids)
    try:
        for step in range(1, STEPS + 1):
            upto = texts * step // STEPS
            judged = out[-1].texts if out else 0
            while judged < upto:
                batch = min(AT_ONCE, upto - judged)
                await asyncio.gather(*(_judge(inspector, made.text()) for _ in range(batch)))
                judged += batch
                known |= frozenset(inspector.pids)
            out.append(_held(judged, inspector.pids, len(known - first)))
            print(_line(out[-1]), flush=True)
    finally:
        await inspector.aclose()
    return out


def growth(held: Sequence[Held]) -> float:
    """How much has been added since it was settled, in parts of what was held then."""
    texts = held[-1].texts * SETTLED_SHARE
    settled = next(each for each in held if each.texts >= texts)
    before, after = (each.parent_mb + each.workers_mb for each in (settled, held[-1]))
    return after / before - 1


async def _judge(inspector: PooledInspector, text: str) -> None:
    cut = windows(text, 0, segments.cut(text, final=True))
    await inspector.inspect(cut, tuple(inspector.detectors))


def _held(texts: int, pids: Sequence[int], replaced: int) -> Held:
    workers_mb = sum(usage(pid).rss_mb for pid in pids)
    return Held(texts, usage(os.getpid()).rss_mb - workers_mb, workers_mb, replaced)


def _line(held: Held) -> str:
    return (
        f"{held.texts:>10,} texts   gateway {held.parent_mb:7.1f} MB   "
        f"workers {held.workers_mb:7.1f} MB   replaced {held.replaced}"
    )


def main() -> int:
    """0 if memory stayed flat, 1 if it grew."""
    parser = argparse.ArgumentParser(prog="scripts/bench-memory", description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000, help="how many (default: 100,000)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-") as cache:
        named = {"GATEWAY_CACHE": cache, "GATEWAY_DETECTOR_DEADLINE_S": str(DEADLINE_S)}
        held = asyncio.run(measure(settings.read({**os.environ, **named}), asked.texts))
    grown, replaced = growth(held), held[-1].replaced
    print(f"Since it was settled: {grown:+.1%}; workers replaced: {replaced}.")
    return int(grown > ALLOWED_GROWTH or replaced > 0)


if __name__ == "__main__":
    sys.exit(main())
