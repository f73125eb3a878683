"""Several processes, and stopping."""

from __future__ import annotations

import os
import signal
import time

from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream


def test_workers_serve_together_and_a_killed_one_is_replaced(run_gateway: Run) -> None:
    with run_gateway(detectors="patterns", workers=2) as gateway:
        until(lambda: _chains(gateway) == ["e2e.0", "e2e.1"], within_s=30)
        until(lambda: _served_by(gateway) == {"e2e.0", "e2e.1"}, within_s=30)
        first, second = _workers(gateway)
        os.kill(second, signal.SIGKILL)
        until(lambda: second not in _workers(gateway))
        assert _served(gateway)
        until(lambda: len(_chains(gateway)) == 3, within_s=30)
        # Now the one that was started in place of the dead one has to do it alone.
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in _workers(gateway))
        assert _served(gateway)
        assert gateway.stop() == 0
        until(lambda: gateway.processes("") == [], within_s=5)
        code, report = gateway.verify()
        assert (code, report["unclosed_count"]) == (0, 0)
        assert report["chains"] >= 3


def test_stop_lets_a_stream_end_and_closes_the_chain(run_gateway: Run, upstream: Upstream) -> None:
    with run_gateway(detectors="patterns") as gateway:
        # Leaves a connection open that nothing happens on.
        assert _served(gateway)
        with gateway.streaming("up-slow-stop", "word " * 12) as stream:
            pieces = stream.iter_bytes()
            first = next(pieces)
            assert gateway.process is not None
            gateway.process.terminate()
            time.sleep(0.3)
            assert not gateway.ended
            assert not upstream.of("up-slow-stop")[0].answered
            whole = first + b"".join(pieces)
        assert whole.endswith(b"data: [DONE]\n\n")
        assert gateway.process.wait(10) == 0
        assert gateway.closed("up-slow-stop")["outcome"] == "completed"
        assert gateway.entries()[-1]["kind"] == "chain.closed"
        code, report = gateway.verify()
        assert (code, report["unclosed_count"], report["open_chains"]) == (0, 0, [])
        assert gateway.processes("") == []


def _workers(gateway: Gateway) -> list[int]:
    return gateway.processes("spawn_main")


def _chains(gateway: Gateway) -> list[str]:
    """Which replicas opened a chain, each as often as it did."""
    return sorted(entry["replica"] for entry in gateway.entries(kind="chain.opened"))


def _served(gateway: Gateway) -> bool:
    """One exchange on a connection of its own, complete on record."""
    before = len(gateway.entries(kind="exchange.closed"))
    body = b'{"model": "up-echo-workers", "messages": []}'
    status = gateway.post_raw(body, connection="close").status_code
    until(lambda: len(gateway.entries(kind="exchange.closed")) > before)
    return status == 200


def _served_by(gateway: Gateway) -> set[str]:
    """Which replicas have served anything, after one more exchange."""
    assert _served(gateway)
    return {entry["replica"] for entry in gateway.entries(kind="exchange.opened")}
