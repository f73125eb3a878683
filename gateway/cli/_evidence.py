"""Commands of `gateway audit` that make evidence: the tree over the log, and its checkpoints."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from gateway import settings
from gateway.app import SystemClock
from gateway.audit.sequencing import Sequencing
from gateway.cli._open import database
from gateway.core.errors import ConfigError
from gateway.core.ports import Counters
from gateway.identity.keyring import Keyring
from gateway.serve import set_up_logging


def sequence(
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, then end.")] = False,
) -> None:
    """Give new entries their places in the tree and sign checkpoints, until Ctrl-C or SIGTERM.

    A gateway does this by itself unless GATEWAY_AUDIT_SEQUENCE_S is 0. Of several at once on
    one database one works; the others wait, and take over when it ends.
    """
    found = settings.read()
    keyring = Keyring.open(found.keyring_path, create=False)
    with database(found):
        work = Sequencing.open(
            found.database,
            key=keyring.audit_key,
            origin=found.audit_origin,
            clock=SystemClock(),
            counters=Counters(),
            every_s=found.audit_sequence_s or 1,
            share=1.0,
        )
    if once:
        _catch_up(work)
        return
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: work.stop())
    set_up_logging(found)
    work.run()


def _catch_up(work: Sequencing) -> None:
    while work.turn(0.0) == 0.0:
        pass
    work.close()
    if work.trouble or not work.leads:
        raise ConfigError(work.trouble or "Another process sequences this database now.")
