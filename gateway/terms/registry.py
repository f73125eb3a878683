"""What counts of all terms now, in memory: an exchange costs a look into a dict.

What is approved, accepted, attested or withdrawn elsewhere counts within seconds.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Engine

from gateway.core.errors import ConfigError
from gateway.core.judgement import Principal, Route
from gateway.core.ports import Clock
from gateway.core.repeating import Repeating
from gateway.core.standing import NO_PROFILE, NO_TERMS, Standing, State, Under
from gateway.db import failures
from gateway.terms.inforce import in_force
from gateway.terms.ledger import Acceptance, Approval, Attestation, Ledger, Whose
from gateway.terms.profile import Profile
from gateway.terms.standing import PENDING, Asked, InForce, Ways, stand

log = logging.getLogger(__name__)

MAX_KEPT = 4_096
_FREE = Standing(under=(Under(NO_TERMS, ""),))
_Key = tuple[Principal, Route, frozenset[str]]


class Registry:
    """Looks at the ledger every `ttl_s`. While the database is away the last state holds.

    drafts: the profiles of files. hazards: the ids that profiles may name. changed: called in
    the event loop when other profiles count, or count in another way, than before.
    """

    def __init__(
        self,
        engine: Engine,
        drafts: Mapping[str, Profile],
        hazards: Collection[str],
        *,
        ways: Ways,
        clock: Clock,
        ttl_s: float = 5,
    ) -> None:
        self.drafts = drafts
        self.profiles: Mapping[str, InForce] = in_force(drafts, (), hazards)
        self.caution = ""
        self.changed: Callable[[], None] = _nothing
        self._ledger = Ledger(engine)
        self._failures: tuple[type[Exception], ...] = (*failures(engine), ConfigError)
        self._hazards = hazards
        self._ways = ways
        self._clock = clock
        self._looks = Repeating(self.look, every_s=ttl_s, name="gateway-terms")
        self._approvals: list[Approval] = []
        self._accepted: dict[tuple[Whose, str], Acceptance] = {}
        self._attested: dict[Whose, dict[str, Attestation]] = {}
        self._kept: dict[_Key, tuple[Standing, float]] = {}

    def standing(self, who: Principal, route: Route, modalities: Collection[str]) -> Standing:
        """How a call by this principal along this route stands, from memory."""
        if route.terms == (NO_TERMS,):
            return _FREE
        key = (who, route, frozenset(modalities))
        now_ms = self._clock.now_ms()
        found = self._kept.get(key)
        if found is None or found[1] <= now_ms:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            ends_ms = self._ends_ms(who, route, now_ms)
            found = self._kept[key] = self._stand(who, route, modalities), ends_ms
        return found[0]

    def accepted(self, who: Principal, profile: str) -> Acceptance | None:
        """The acceptance that counts for a principal, whether it still holds or not."""
        for whose in Whose.levels(who):
            if (whose, profile) in self._accepted:
                return self._accepted[whose, profile]
        return None

    def under(self, route: Route) -> list[InForce]:
        """The profiles that a route is under: named by the catalogue, and for this model."""
        found = [self.profiles[id_] for id_ in route.terms if id_ in self.profiles]
        names = (route.model, route.upstream_model)
        return [each for each in found if each.profile.applies(route.provider, *names)]

    def attested(self, who: Principal) -> dict[str, str]:
        """What holds for a principal now. Of several levels the most specific counts."""
        now_ms = self._clock.now_ms()
        found: dict[str, Attestation] = {}
        for whose in reversed([*Whose.levels(who)]):
            found |= self._attested.get(whose, {})
        return {name: each.value for name, each in found.items() if each.holds(now_ms)}

    def replace(self, drafts: Mapping[str, Profile]) -> None:
        """Have other drafts: files have changed. Raises ConfigError; then nothing changes."""
        self.profiles = in_force(drafts, self._approvals, self._hazards)
        self.drafts = drafts
        self._kept = {}

    def refresh(self) -> bool:
        """Look now. Blocks; raises what the database raises, or ConfigError.

        Returns whether other profiles count than before.
        """
        approvals = self._ledger.all(Approval)
        acceptances = self._ledger.all(Acceptance)
        attestations = self._ledger.all(Attestation)
        changed = approvals != self._approvals
        if changed:
            self.profiles = in_force(self.drafts, approvals, self._hazards)
            self._approvals = approvals
        self._accepted = {(each.whose, each.profile): each for each in acceptances}
        attested: dict[Whose, dict[str, Attestation]] = {}
        for each in attestations:
            attested.setdefault(each.whose, {})[each.name] = each
        self._attested = attested
        self._kept = {}
        self.caution = ""
        return changed

    async def start(self) -> None:
        """Load everything and keep up until `aclose`. Raises as `refresh`."""
        if await asyncio.to_thread(self.refresh):
            self.changed()
        self._looks.start()

    async def aclose(self) -> None:
        """Stop looking."""
        await self._looks.aclose()

    async def look(self) -> None:
        """Look now, and say so if other profiles count. What goes wrong is a caution."""
        try:
            if await asyncio.to_thread(self.refresh):
                self.changed()
        except self._failures as err:
            told = str(err) if isinstance(err, ConfigError) else type(err).__name__
            self.caution = f"not read again, what was known before stays in force: {told}"
            log.warning("The terms of use could not be loaded: %s", told)

    def _ends_ms(self, who: Principal, route: Route, now_ms: int) -> float:
        """When time alone changes how a principal stands: what is accepted or attested expires.

        It ends then, also while the database hangs and nothing new can be read.
        """
        profiles = self.under(route)
        acts: list[Acceptance | Attestation | None] = [
            self.accepted(who, each.profile.id) for each in profiles
        ]
        acts += [a for w in Whose.levels(who) for a in self._attested.get(w, {}).values()]
        ends = [act.expires_ms for act in acts if act is not None and act.expires_ms is not None]
        for each in profiles:
            ends += [
                self._ways.grace_ms(each),
                self._ways.grace_ms(each, self.accepted(who, each.profile.id)),
            ]
        return min((end for end in ends if end > now_ms), default=math.inf)

    def _stand(self, who: Principal, route: Route, modalities: Collection[str]) -> Standing:
        found = self.under(route)
        if not found:
            return Standing(
                states=(_no_profile(route),), attested=tuple(sorted(self.attested(who)))
            )
        attested, now_ms = self.attested(who), self._clock.now_ms()
        stood = []
        for each in found:
            accepted = self.accepted(who, each.profile.id)
            asked = Asked(
                route.tier, modalities, attested, accepted, route.trains, route.retention_days
            )
            stood.append(stand(each, asked, now_ms=now_ms, ways=self._ways))
        # A stable order: what stops comes before what only warns, whichever profile says it.
        states = sorted((s for _, ss in stood for s in ss), key=lambda s: s.code in PENDING)
        return Standing(
            under=tuple(under for under, _ in stood),
            states=tuple(states),
            attested=tuple(sorted(attested)),
            warnings=tuple(_warning(state) for state in states if state.code in PENDING),
            notices=tuple(
                notice.text
                for each in found
                if each.approved
                for notice in each.profile.notices
                if notice.where == "ui"
            ),
        )


def _warning(state: State) -> tuple[str, str]:
    return "/".join(filter(None, ("terms", state.profile, state.clause))), state.words


def _no_profile(route: Route) -> State:
    named = f"model {route.model!r}" if route.model else f"backend {route.backend!r}"
    words = (
        f"Nobody has said under which terms of use the {named} of this gateway stands. Its "
        "operator does so in the catalogue, under 'terms'."
    )
    return State(NO_PROFILE, "", "", words)


def _nothing() -> None:
    return None
