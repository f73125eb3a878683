"""Kill -9 with 50 exchanges in flight: what reached the upstream is on record."""

from __future__ import annotations

from tests.e2e.conftest import Run
from tests.e2e.flood import Flood
from tests.e2e.running import until
from tests.e2e.upstream import Upstream


def test_killed_gateway_has_every_call_on_record(
    run_gateway: Run, upstream: Upstream, database_url: str
) -> None:
    """Requests of different lengths, so that an opening entry names the one it belongs to."""
    kind = database_url.partition(":")[0]
    models = (f"up-hang-kill-{kind}", f"up-stall-kill-{kind}")
    with run_gateway(database_url=database_url, detectors="patterns") as gateway:
        with Flood(gateway, models, 120):
            until(lambda: sum(len(upstream.of(m)) for m in models) >= 50)
            gateway.kill()
        arrived = {(m, len(r.body)) for m in models for r in upstream.of(m)}
        opened = gateway.entries(kind="exchange.opened")
        assert len(arrived) >= 50
        assert arrived <= {(e["model"], e["data"]["request_bytes"]) for e in opened}
        code, report = gateway.verify()
        assert (code, report["problems"]) == (0, [])
        unclosed = {item["exchange_id"] for item in report["unclosed"]}
        assert unclosed == {entry["exchange_id"] for entry in opened}

        gateway.start()
        assert gateway.post("up-echo-again").status_code == 200
        assert gateway.stop() == 0
        code, report = gateway.verify()
        assert (code, report["chains"], report["unclosed_count"]) == (0, 2, len(opened))
        assert report["open_chains"] == [["e2e", opened[0]["epoch"]]]
