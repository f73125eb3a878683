"""The thread that sequences while a gateway serves, out of the way of its requests."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

from gateway import db
from gateway.audit.abandoned import Reconciler
from gateway.audit.lease import Lease, lease
from gateway.audit.sequencer import Round, Sequencer, signer
from gateway.core.errors import GatewayError
from gateway.core.ports import Clock, Counters

SEQUENCED = "audit_sequenced_total"
CHECKPOINTS = "audit_checkpoints_total"
SEQUENCER_FAILURES = "audit_sequencer_failures_total"

LONGEST_PAUSE_S = 30.0
# How much of the time goes to rounds at most, while it catches up.
BUSY_SHARE = 0.3

log = logging.getLogger(__name__)


class Sequencing:
    """Rounds every `every_s` seconds, while the lease is ours; trouble is told, never raised.

    failures: what the database raises when it does not do its part. share: of the time that
    rounds may take while there is much to do. reconciler: closes what others left open, on
    the same lease.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        lease: Lease,
        *,
        failures: tuple[type[Exception], ...],
        counters: Counters,
        every_s: float,
        share: float = BUSY_SHARE,
        reconciler: Reconciler | None = None,
    ) -> None:
        self._sequencer = sequencer
        self._lease = lease
        self._failures: tuple[type[Exception], ...] = (GatewayError, *failures)
        self._counters = counters
        self._every_s = every_s
        self._share = share
        self._reconciler = reconciler
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""
        self.leads = False
        for name in (SEQUENCED, CHECKPOINTS, SEQUENCER_FAILURES):
            counters.add(name, 0)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        key: bytes,
        origin: str,
        clock: Clock,
        counters: Counters,
        every_s: float,
        share: float = BUSY_SHARE,
        abandoned_s: float = 0,
        replica: str = "",
    ) -> Sequencing:
        """For the database at this URL, with connections of its own; not started yet.

        key: the audit key. origin: the log's name; "" for one that follows from the key.
        abandoned_s: after how long a chain that does not move is closed, in the name of
        `replica`; 0 for never.
        """
        engine = db.open_engine(url, pool_size=1)
        reconciler = None
        if abandoned_s:
            reconciler = Reconciler(
                engine, key, clock=clock, counters=counters, after_s=abandoned_s, by=replica
            )
        return cls(
            Sequencer(engine, key=key, signer=signer(key, origin), clock=clock),
            lease(engine),
            failures=db.failures(engine),
            counters=counters,
            every_s=every_s,
            share=share,
            reconciler=reconciler,
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(
            target=self.run, name="gateway-audit-sequencer", daemon=True
        )
        self._thread.start()

    async def aclose(self) -> None:
        """One last round, and the thread's end. Waits for a round at most."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, LONGEST_PAUSE_S)
            self._thread = None

    def stop(self) -> None:
        """Let `run` end after one more round."""
        self._stop.set()

    def run(self) -> None:
        """The thread."""
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            pause_s = self.turn(pause_s)
        self.turn(0.0)
        self.close()

    def close(self) -> None:
        """Let another have the lease, and close the connections."""
        self._lease.release()
        if self._reconciler is not None:
            self._reconciler.close()
        self._sequencer.close()

    def turn(self, pause_s: float) -> float:
        """One round, if it is our turn. How long to wait before the next, in seconds."""
        began = time.monotonic()
        try:
            self.leads = self._lease.take()
            if not self.leads:
                self.trouble = ""
                return self._every_s
            if self._reconciler is not None:
                self._reconciler.turn()
            done = self._sequencer.round()
        except self._failures as err:
            self._fail(err)
            return min(max(2 * pause_s, self._every_s), LONGEST_PAUSE_S)
        self._note(done)
        if done.more:
            return (time.monotonic() - began) * (1 / self._share - 1)
        return self._every_s

    def _note(self, done: Round) -> None:
        if done.entries:
            self._counters.add(SEQUENCED, done.entries)
            self._counters.add(CHECKPOINTS)
        self._say("; ".join(done.troubles))

    def _fail(self, err: Exception) -> None:
        self._counters.add(SEQUENCER_FAILURES)
        # Drivers' texts may hold values of rows; ours hold none.
        reason = str(err) if isinstance(err, GatewayError) else type(err).__name__
        self._say(f"the audit log is not sequenced now: {reason}")

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.error("%s", trouble)
        elif self.trouble and not trouble:
            log.warning("The audit log is sequenced again.")
        self.trouble = trouble
