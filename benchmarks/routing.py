"""What data classes and the action `route` add to a small exchange: CPU time, in this process.

    python -m benchmarks.routing

A gateway with the shipped policy and detectors answers from its echo backend; only the audit log
is left out, for it is the same in all rows. Each row is the best of several rounds, which take
turns, so that what else the machine does falls on all alike.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from gateway import configured, db, dialects, settings
from gateway.app import Gateway
from gateway.core.calls import Call
from gateway.core.classes import Classes
from gateway.core.clearance import DataClass
from gateway.core.exchange import Exchange
from gateway.core.ids import new_id
from gateway.core.judgement import Principal
from gateway.core.ports import Chosen, Entry
from gateway.pipeline.house import House
from gateway.pipeline.run import run
from gateway.pipeline.sticking import Sticking

ROUNDS, EXCHANGES = 40, 30
CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: theirs, kind: echo}
  - {name: ours, kind: echo, hosting: self_hosted}
models:
  - {name: far, backend: theirs}
  - {name: near, backend: ours}
"""
ROUTE = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: restricted-stays-here, version: "1"}
spec:
  rules:
    - id: restricted
      when: {categories: [DATA_CLASS], data_classes: [restricted]}
      then: route
      with: {hosting: self_hosted}
"""
WHO = Principal("k1", "bench", "acme")
CHAT = dialects.load()["openai_chat"]
TURNS = (("user", "How do I sort a list in place?"), ("assistant", "Call its method sort."))
BODY = json.dumps(
    {
        "model": "far",
        "messages": [
            {"role": "system", "content": "You answer questions about programming, briefly."},
            *({"role": role, "content": text} for role, text in TURNS),
            {"role": "user", "content": "And how do I get a sorted copy of it instead?"},
        ],
    }
).encode()


class Nowhere:
    """A log that forgets."""

    def append(self, entry: Entry) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def exchange(house: House, headers: Mapping[str, str]) -> None:
    made = Exchange(new_id(), WHO, CHAT.name, CHAT.paths[0], headers, Call(BODY))
    async with aclosing(run(made, CHAT, house)) as pieces:
        async for _ in pieces:
            pass
    assert made.status == 200, made.refusal


def rows(gateway: Gateway) -> dict[str, tuple[House, Mapping[str, str]]]:
    """Houses to compare, with what is asked of them."""
    written = gateway.settings.policy_paths[0].read_text()
    compiled = configured.compiler(gateway.settings)
    default = compiled([("default.yaml", written)])
    routing = compiled([("default.yaml", written), ("route.yaml", ROUTE)])
    base = replace(
        gateway.house(), sink=Nowhere(), bundle=lambda who, parts: Chosen(default), sticking=None
    )
    known = Sticking(base.seal)
    known.kept(WHO.tenant, ["something else"], DataClass.of("restricted"))
    sends = replace(base, bundle=lambda who, parts: Chosen(routing))
    return {
        "no data classes": (replace(base, classes=Classes), {}),
        "data classes": (base, {}),
        "and what sticks, nothing of this tenant's": (
            replace(base, sticking=Sticking(base.seal)),
            {},
        ),
        "and what sticks, something of this tenant's": (replace(base, sticking=known), {}),
        "data classes, and a rule that routes others": (sends, {}),
        "data classes, and a rule that routes this one": (
            replace(sends, sticking=Sticking(base.seal)),
            {"gw-data-class": "restricted"},
        ),
    }


async def measured(gateway: Gateway) -> dict[str, float]:
    """Milliseconds of CPU for each row, the best of all rounds."""
    found: dict[str, float] = {}
    compared = rows(gateway)
    for _ in range(ROUNDS + 1):
        for name, (house, headers) in compared.items():
            began = time.process_time()
            for _ in range(EXCHANGES):
                await exchange(house, headers)
            took_ms = (time.process_time() - began) * 1000 / EXCHANGES
            found[name] = min(found.get(name, took_ms), took_ms)
    return found


async def main(folder: Path, told: Callable[[str], None] = print) -> None:
    (folder / "catalogue.yaml").write_text(CATALOGUE)
    chosen = settings.Settings(
        data=str(folder),
        catalogue=str(folder / "catalogue.yaml"),
        reload_s=0,
        audit_heartbeat_s=0,
        audit_sequence_s=0,
    )
    db.upgrade(chosen.database, settings.shipped("migrations"))
    gateway = Gateway(chosen)
    try:
        await gateway.start()
        for name, took_ms in (await measured(gateway)).items():
            told(f"{took_ms:7.3f} ms  {name}")
    finally:
        await gateway.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(Path(made)))
