"""Crashes gateways, sequencers and databases under load, and looks whether the log still holds.

Each round does one thing at a random moment of a few seconds of load, lets it be mended, and
checks: no exchange that reached the upstream lacks its opening entry, no answer that was whole
at its client lacks its closing one, nothing is there twice, and the log verifies. At the end of
a block, when the dead have been found dead, nothing is open.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts._campaign_block import Block, Way
from scripts._campaign_kinds import KINDS, kinds
from scripts._campaign_server import Server
from tests.e2e.upstream import Upstream

# Any eight blocks in a row have them all.
WAYS = [
    Way(database, durable, spool)
    for durable, spool in itertools.product(("before_egress", "before_release"), (False, True))
    for database in ("sqlite", "postgresql")
]
# A gateway takes long to start, so it is killed more rarely.
RARELY = 0.2


class Campaign:
    """Rounds, and how many of each kind there were so far."""

    def __init__(self, upstream: Upstream, server: Server) -> None:
        self.counts: Counter[tuple[Way, str]] = Counter()
        self.asked = 0
        self._upstream, self._server = upstream, server

    def block(self, way: Way, crashes: list[str]) -> None:
        """These rounds with one gateway. Raises AssertionError if the log does not hold."""
        block = Block(way, self._upstream, self._server)
        try:
            for kind in crashes:
                print(f"{self.rounds + 1} {way}: {kind}", flush=True)
                self.asked += block.round(KINDS[kind])
                self.counts[way, kind] += 1
            block.check(settled=True)
        except BaseException:
            print(block.gateway.log[-6_000:], flush=True)
            raise
        finally:
            block.close()

    @property
    def rounds(self) -> int:
        return self.counts.total()

    def table(self) -> str:
        """Rounds by kind and way, as a table of Markdown."""
        ways = [way for way in WAYS if any(seen == way for seen, _ in self.counts)]
        heads = ["kind of round", *map(str, ways), "all"]
        rows = [
            [kind, *(self.counts[way, kind] for way in ways), self._of(kind)]
            for kind in KINDS
            if self._of(kind)
        ]
        sums = [sum(row[i] for row in rows) for i in range(1, len(heads))]
        lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows, ["all", *sums]]
        return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)

    def told(self) -> dict[str, object]:
        by_kind = {f"{way}: {kind}": n for (way, kind), n in self.counts.items()}
        return {"rounds": self.rounds, "exchanges": self.asked, **dict(sorted(by_kind.items()))}

    def _of(self, kind: str) -> int:
        return sum(n for (_, seen), n in self.counts.items() if seen == kind)


@contextmanager
def campaign() -> Iterator[Campaign]:
    """One with an upstream and a PostgreSQL server of its own."""
    with Upstream() as upstream, tempfile.TemporaryDirectory(prefix="gateway-pg-") as folder:
        # The server is no root.
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "data")
        try:
            yield Campaign(upstream, server)
        finally:
            server.close()


def drawn(way: Way, count: int) -> list[str]:
    """So many kinds of rounds, at random."""
    known = kinds(way)
    weights = [RARELY if kind.startswith("kill gateway") else 1.0 for kind in known]
    return random.choices(known, weights, k=count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--block", type=int, default=8, help="Rounds with one gateway.")
    parser.add_argument("--out", type=Path, help="Where the counts go, as JSON.")
    given = parser.parse_args()
    random.seed(given.seed)
    # What detectors compile is made once.
    os.environ.setdefault("GATEWAY_CACHE", str(Path(tempfile.gettempdir()) / "gateway-campaign"))
    print(f"seed {given.seed}", flush=True)
    held = False
    with campaign() as work:
        try:
            for way in itertools.cycle(WAYS):
                if work.rounds >= given.rounds:
                    break
                work.block(way, drawn(way, min(given.block, given.rounds - work.rounds)))
            held = True
        finally:
            print(f"\n{work.table()}\n\n{work.rounds} rounds, {work.asked:,} exchanges")
            print("The log held in all of them." if held else "THE LAST ROUND FAILED.", flush=True)
            if given.out:
                given.out.write_text(json.dumps(work.told(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
