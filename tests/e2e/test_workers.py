"""Several processes, and stopping."""

from __future__ import annotations

import os
import signal
import time

import httpx

from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream


def replicas(gateway: Gateway) -> set[str]:
    return {entry["replica"] for entry in gateway.entries(kind="exchange.opened")}


def served_by(gateway: Gateway, count: int) -> bool:
    assert gateway.post("up-echo-workers").status_code == 200
    return len(replicas(gateway)) == count


def test_workers_serve_together_and_a_killed_one_is_replaced(run_gateway: Run) -> None:
    with run_gateway(detectors="secrets", workers=2) as gateway:
        until(lambda: len(gateway.processes("spawn_main")) == 2)
        until(lambda: served_by(gateway, 2), within_s=30)
        first, second = gateway.processes("spawn_main")
        os.kill(second, signal.SIGKILL)
        until(lambda: len(set(gateway.processes("spawn_main")) - {first, second}) == 1)
        assert gateway.post("up-echo-meanwhile").status_code == 200
        (third,) = set(gateway.processes("spawn_main")) - {first, second}
        opened = len(gateway.entries(kind="chain.opened"))
        until(
            lambda: len(gateway.entries(kind="chain.opened")) > opened or opened == 3, within_s=30
        )
        os.kill(first, signal.SIGKILL)
        until(lambda: first not in gateway.processes("spawn_main"))
        assert gateway.post("up-echo-third").status_code == 200
        assert third in gateway.processes("spawn_main")
        assert gateway.stop() == 0
        until(lambda: gateway.processes("") == [], within_s=3)
        code, report = gateway.verify()
        assert (code, report["unclosed_count"]) == (0, 0)
        assert report["chains"] >= 3


def test_stop_lets_a_stream_end_and_closes_the_chain(run_gateway: Run, upstream: Upstream) -> None:
    with run_gateway(detectors="secrets") as gateway:
        with (
            httpx.Client() as idle,
            gateway.streaming("up-slow-stop", "word " * 12) as stream,
        ):
            idle.get(f"{gateway.url}/livez")
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
