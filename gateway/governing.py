"""Policies of a running process: what judges now, the desk where people act, the look for news.

The files that GATEWAY_POLICY names are in force until a bundle of the database is activated, and
again when all activations are taken back. There are never two at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from gateway.core.errors import GatewayError
from gateway.core.ports import Bundle, Clock, Counters, Entry, Sink
from gateway.core.repeating import Repeating
from gateway.db import failures
from gateway.identity.persons import Persons
from gateway.lifecycle.acts import Rollout
from gateway.lifecycle.bundles import Texts
from gateway.lifecycle.desk import By, PolicyDesk
from gateway.lifecycle.rollout import Tally
from gateway.lifecycle.store import Store
from gateway.lifecycle.watch import Watch
from gateway.settings import Settings
from gateway.signing import Signer

log = logging.getLogger(__name__)

# How long an act waits for its entry in the log.
_RECORD_S = 15
OVERRIDDEN = (
    "the files that GATEWAY_POLICY names are not in force: bundle {} of the database is "
    "('gateway policy status')"
)


class Governing:
    """compile_: the bundle that texts come to. files: the bundle of the policy files."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        signer: Signer,
        *,
        files: Callable[[], Bundle],
        compile_: Callable[[Texts], Bundle],
        seal: Callable[[str, bytes], str],
        sink: Sink,
        clock: Clock,
        counters: Counters,
    ) -> None:
        store = Store(engine, signer)
        self.watch = Watch(
            store,
            engine,
            files=files,
            compile_=compile_,
            seal=seal,
            replica=settings.replica_name,
        )
        self.desk = PolicyDesk(
            store,
            signer,
            compile_=compile_,
            record=self._record,
            clock=clock,
            four_eyes=settings.four_eyes,
            person_of=Persons(engine),
        )
        self._named = bool(settings.policy)
        self._looks = Repeating(self.look, every_s=settings.reload_s, name="gateway-policies")
        self._looking = bool(settings.reload_s)
        self._failures = failures(engine)
        self._sink = sink
        self._counters = counters
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Load what is in force. Raises ConfigError if it cannot be used."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.watch.refresh)
        self.watch.check()
        if self._looking:
            self._looks.start()

    async def aclose(self) -> None:
        """Stop looking."""
        await self._looks.aclose()

    def cautions(self) -> dict[str, str]:
        """What is wrong, but keeps nothing from being served."""
        return {"policy bundle": self.watch.caution} if self.watch.caution else {}

    def notices(self) -> dict[str, str]:
        """What may be meant so, but should be known."""
        bundle = self.watch.in_force.bundle
        if bundle is None or not self._named:
            return {}
        return {"policy files": OVERRIDDEN.format(bundle.digest[:12])}

    async def look(self) -> None:
        """Take over what is new; take a rollout back that blocks too much."""
        try:
            await asyncio.to_thread(self.watch.refresh)
            jumped = await asyncio.to_thread(self.watch.jumped)
            if jumped is not None:
                await asyncio.to_thread(self._take_back, *jumped)
                await asyncio.to_thread(self.watch.refresh)
        except self._failures as err:
            log.warning("The policy bundles could not be loaded: %s", type(err).__name__)

    def _take_back(self, rollout: Rollout, tally: Tally) -> None:
        by = By("gateway", f"blocks jumped: {tally}", via="rollout")
        try:
            self.desk.roll_back(by, only=rollout)
        except GatewayError as err:
            # Another replica was first, or the log is away; then the next look does it.
            log.warning("policy: the rollout was not taken back here: %s", err)
            return
        self._counters.add("policy_rollbacks_total")
        log.error("policy: %s was taken back: %s", rollout.digest[:12], by.reason)

    def _record(self, kind: str, core: dict[str, Any], by: By) -> None:
        """Put an act on the audit log; it is durable when this returns. Blocks its thread."""
        if self._loop is None:
            raise RuntimeError("acts need a running gateway")
        entry = Entry("", kind, core, key_id=by.key_id)
        asyncio.run_coroutine_threadsafe(self._append(entry), self._loop).result(_RECORD_S)

    async def _append(self, entry: Entry) -> None:
        await self._sink.append(entry)
