"""What a round does to a running gateway: one function a kind, each mends what it broke."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from scripts._campaign_block import Block, Way
from scripts._campaign_server import AWAY_S, SETTLE_S
from tests.e2e.running import _locked, until


def kill_gateway(block: Block) -> None:
    block.gateway.kill()
    block.gateway.start()


def kill_gateway_in_an_outage(block: Block) -> None:
    with away(block):
        time.sleep(random.uniform(*AWAY_S))
        block.gateway.kill()
    block.gateway.start()


def kill_sequencer(block: Block) -> None:
    block.restart_sequencer()


def kill_sequencer_in_an_outage(block: Block) -> None:
    """The next one starts while the database is away, and has to wait for it."""
    with away(block):
        block.restart_sequencer()
        until(block.sequencer_waits, within_s=SETTLE_S)


def kill_database(block: Block) -> None:
    if block.server is not None:
        block.server.kill()


def pause_database(block: Block) -> None:
    if block.server is not None:
        with block.server.stopped():
            time.sleep(random.uniform(*AWAY_S))


def lock_database(block: Block) -> None:
    with _locked(block.url):
        time.sleep(random.uniform(*AWAY_S))


def cut_network(block: Block) -> None:
    if block.server is not None:
        with block.server.cable.cut(silent=random.random() < 0.5):
            time.sleep(random.uniform(*AWAY_S))


def fill_disk(block: Block) -> None:
    """While the database is away the disk of the spool has no room left."""
    if block.disk is None:
        return
    with away(block):
        time.sleep(random.uniform(0, 1.5))
        ballast = block.disk / "ballast"
        with closing(ballast.open("wb", buffering=0)) as file, suppress(OSError):
            while True:
                file.write(b"x" * 512)
        time.sleep(random.uniform(*AWAY_S))
        ballast.unlink()


@contextmanager
def away(block: Block) -> Iterator[None]:
    if block.server is None:
        with _locked(block.url):
            yield
    else:
        with block.server.cable.cut(silent=False):
            yield


KINDS: dict[str, Callable[[Block], None]] = {
    "kill gateway": kill_gateway,
    "kill gateway in an outage": kill_gateway_in_an_outage,
    "kill sequencer": kill_sequencer,
    "kill sequencer in an outage": kill_sequencer_in_an_outage,
    "kill database": kill_database,
    "pause database": pause_database,
    "lock database": lock_database,
    "cut network": cut_network,
    "fill disk of the spool": fill_disk,
}
_NEEDS_SERVER = {"kill database", "pause database", "cut network"}
_NEEDS_FILE = {"lock database"}
_NEEDS_SPOOL = {"fill disk of the spool"}


def kinds(way: Way) -> list[str]:
    """The kinds of rounds that mean something for gateways that keep their log this way."""
    missing = _NEEDS_FILE if way.database == "postgresql" else _NEEDS_SERVER
    return [
        kind for kind in KINDS if kind not in missing and (way.spool or kind not in _NEEDS_SPOOL)
    ]
