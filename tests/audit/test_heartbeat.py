from __future__ import annotations

import asyncio

from gateway.audit.heartbeat import HEARTBEAT, beat_forever
from gateway.audit.query import Filters, query
from gateway.audit.verify import verify


def test_a_heartbeat_notes_the_counters_and_stops_with_its_task(
    engine, audit_log, counters, eventually, key, outage
):
    async def scenario():
        async with audit_log() as log:
            counters.add("refused_x_total", 3)
            task = asyncio.create_task(beat_forever(log, counters, 0.01))
            await eventually(lambda: counters.values["audit_rows_total"] >= 2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    found = list(query(engine, Filters(kind=HEARTBEAT)))
    assert found[0]["data"]["counters"]["refused_x_total"] == 3
    assert found[0]["exchange_id"] == ""
    assert verify(engine, key).ok


def test_while_the_log_is_away_no_heartbeats_pile_up(audit_log, counters, outage, eventually):
    class Away:
        ready = False

        def append(self, entry):
            raise AssertionError

    async def scenario():
        task = asyncio.create_task(beat_forever(Away(), counters, 0.001))
        await asyncio.sleep(0.02)
        assert not task.done()
        task.cancel()

    asyncio.run(scenario())
