"""How much memory detection holds after many texts: `scripts/bench-memory`.

The gateway's own inspector with its worker processes judges texts that are all new; the memory
of both is told along the way. Recycling by size is off, so that growth cannot hide behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import usage
from benchmarks.texts import Texts
from gateway import settings
from gateway.configured import enabled
from gateway.core import segments
from gateway.core.windows import windows
from gateway.detectors._inspector import PooledInspector, build_inspector

TEXT_CHARS = 300
AT_ONCE = 16
# Caches fill and arenas grow at first; from here on it must stay as it is.
SETTLED_SHARE = 0.2
ALLOWED_GROWTH = 0.05


async def judge(inspector: PooledInspector, text: str) -> int:
    """How much was found in the text."""
    cut = windows(text, 0, segments.cut(text, final=True))
    found = await inspector.inspect(cut, tuple(inspector.detectors))
    return sum(map(len, found))


async def measure(texts: int, step: int) -> list[tuple[int, float]]:
    """(texts judged so far, resident MB of this process and its workers), every `step`."""
    made, out = Texts("memory"), []
    with tempfile.TemporaryDirectory(prefix="gateway-") as cache:
        inspector = build_inspector(
            enabled(settings.read()), cache_dir=Path(cache), rss_limit_mb=0, deadline_s=60
        )
        await inspector.start()
        try:
            for first in range(0, texts, step):
                for _ in range(first, min(first + step, texts), AT_ONCE):
                    await asyncio.gather(
                        *(judge(inspector, made.mixed(TEXT_CHARS)) for _ in range(AT_ONCE))
                    )
                held = usage(os.getpid()).rss_mb
                out.append((min(first + step, texts), held))
                print(f"{out[-1][0]:>10,} texts {held:8.1f} MB", flush=True)
        finally:
            await inspector.aclose()
    return out


def main() -> int:
    """0 if memory stayed flat, 1 if it grew."""
    parser = argparse.ArgumentParser(prog="scripts/bench-memory", description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000, help="how many (default: 100,000)")
    asked = parser.parse_args()
    held = asyncio.run(measure(asked.texts, max(AT_ONCE, asked.texts // 20)))
    settled = [mb for judged, mb in held if judged >= asked.texts * SETTLED_SHARE]
    grown = settled[-1] / settled[0] - 1
    print(f"From {settled[0]:.1f} MB when settled to {settled[-1]:.1f} MB: {grown:+.1%}.")
    return int(grown > ALLOWED_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
