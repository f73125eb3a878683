"""The bundles that judge now, in memory: what is done at one replica counts at all within seconds.

A bundle that cannot be read or is not as it was signed changes nothing: what was in force before
stays, and `caution` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.core.errors import ConfigError
from gateway.core.judgement import Principal
from gateway.core.message import Part
from gateway.core.ports import Bundle, Chosen
from gateway.lifecycle import rollout
from gateway.lifecycle.acts import Act, Rollout, fold
from gateway.lifecycle.bundles import BundleRefused, Texts
from gateway.lifecycle.rollout import Tally
from gateway.lifecycle.store import Store

log = logging.getLogger(__name__)

CAUTION = "not taken over, what was in force before stays"


@dataclass(frozen=True, slots=True)
class InForce:
    """What judges now. bundle: None: the files'. candidate: of the rollout, if one is on."""

    bundle: Bundle | None = None
    candidate: Bundle | None = None
    rollout: Rollout | None = None


class Watch:
    """Belongs to one process. `refresh` blocks; all else is for its event loop.

    files: the bundle of the policy files, in force as long as no other was activated.
    compile_: the bundle that texts come to, as it judges here. seal: (tenant, bytes) -> digest.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        files: Callable[[], Bundle],
        compile_: Callable[[Texts], Bundle],
        seal: Callable[[str, bytes], str],
        replica: str,
    ) -> None:
        self.in_force = InForce()
        self.caution = ""
        self._store = store
        self._engine = engine
        self._files = files
        self._compile = compile_
        self._seal = seal
        self._replica = replica
        self._known: dict[str, Bundle] = {}
        self._seen = 0
        self._last: Act | None = None
        self._tally = Tally()

    @property
    def bundle(self) -> Bundle:
        """The bundle in force."""
        return self.in_force.bundle or self._files()

    @property
    def asked(self) -> tuple[Bundle, ...]:
        """The bundle in force, and the one that is being rolled out."""
        now = self.in_force
        return (self.bundle, now.candidate) if now.candidate else (self.bundle,)

    def choose(self, who: Principal, parts: Callable[[], Iterable[Part]]) -> Chosen:
        """What judges an exchange. parts: of its request; asked for only in a rollout."""
        now = self.in_force
        live = now.bundle or self._files()
        if now.candidate is None or now.rollout is None:
            return Chosen(live)
        if not now.rollout.percent:
            return Chosen(live, now.candidate)
        began = now.rollout.began
        text = now.rollout.digest + (rollout.beginning(parts()) or who.key_id)
        seal = self._seal(who.tenant, text.encode("utf-8", "surrogatepass"))
        staged = rollout.within(seal, now.rollout.percent)

        def told(blocked: bool) -> None:
            going = self.in_force.rollout
            if going is not None and going.began == began:
                self._tally.add(staged=staged, blocked=blocked)

        if staged:
            return Chosen(now.candidate, None, told)
        return Chosen(live, now.candidate, told)

    def refresh(self) -> None:
        """Look for new acts, and take over what they come to. Raises what the database raises."""
        last = self._store.last()
        if last == self._seen and not self.caution:
            return
        try:
            self._take_over()
            self.caution = ""
        except ConfigError as err:
            if f"{CAUTION}: {err}" != self.caution:
                self.caution = f"{CAUTION}: {err}"
                log.error("policy: %s", self.caution)
        self._seen = last

    def recompile(self) -> None:
        """Compile all anew at the next look, for what they depend on has changed."""
        self._known.clear()
        self._seen = -1

    def check(self) -> None:
        """Raises ConfigError if what should be in force could not be read at the start."""
        if self.caution:
            why = self.caution.removeprefix(f"{CAUTION}: ")
            raise ConfigError(f"The policy bundle in the database cannot be used. {why}")

    def jumped(self) -> tuple[Rollout, Tally] | None:
        """The step of the rollout that is to be taken back, and why; None if none is.

        Adds what was counted here to what other replicas counted. Blocks.
        """
        now, mine = self.in_force.rollout, self._tally
        if now is None or not now.percent:
            return None
        if mine.staged or mine.others:
            self._tally = Tally()
            rollout.count_on(self._engine, now.began, self._replica, mine)
        all_ = rollout.counted(self._engine, now.began)
        if all_.jumped(margin_pm=now.margin_pm, minimum=now.minimum):
            return now, all_
        return None

    def _take_over(self) -> None:
        acts = self._store.acts()
        if self._last is not None and self._last not in acts[self._last.n - 1 : self._last.n]:
            raise BundleRefused(
                f"Act {self._last.n}, which is in force here, is no longer in the database. Put "
                "back what was deleted there, or start the gateway anew to do without it."
            )
        state = fold(acts)
        live = self._bundle(state.active) if state.active else None
        going = state.rollout
        candidate = self._bundle(going.digest) if going else None
        wanted = {state.active, going.digest if going else ""}
        self._known = {digest: each for digest, each in self._known.items() if digest in wanted}
        if going != self.in_force.rollout:
            self._tally = Tally()
        self.in_force = InForce(live, candidate, going)
        self._last = acts[-1] if acts else None
        log.info("policy: act %d, %s in force", state.n, state.active[:12] or "the files")

    def _bundle(self, digest: str) -> Bundle:
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = self._compile(self._store.texts(digest))
        return known
