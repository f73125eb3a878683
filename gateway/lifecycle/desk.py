"""Where people act on bundles: what may be done is checked, recorded, then done."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.note import Key
from gateway.core.people import PersonOf
from gateway.core.ports import Bundle, Clock
from gateway.lifecycle import acts
from gateway.lifecycle.acts import Act, ActRefused, Rollout, State, What
from gateway.lifecycle.bundles import SignedBundle, Texts
from gateway.lifecycle.store import Store
from gateway.signing import Signer

CHANGE = "policy.change"
MIN_PREFIX_CHARS = 8
MAX_MINIMUM = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, as it is recorded, and why. key_id: the gateway key that was shown, if any."""

    who: str
    reason: str = ""
    via: str = "cli"
    key_id: str = ""


class PolicyDesk:
    """Every call blocks. Raises ActRefused, BundleRefused and what `record` and `compile` raise.

    compile: the bundle that texts come to. record: puts (kind, core, who) on the audit log and
    returns when it is durable. four_eyes, person_of: see `acts.check`.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        *,
        compile_: Callable[[Texts], Bundle],
        record: Callable[[str, dict[str, Any], By], None],
        clock: Clock,
        four_eyes: bool = False,
        person_of: PersonOf = str,
    ) -> None:
        self.store = store
        self.four_eyes = four_eyes
        self._person_of = person_of
        self._signer = signer
        self.compile = compile_
        self._record = record
        self._clock = clock

    @property
    def key(self) -> Key:
        """Whose signature bundles and acts carry."""
        return self._signer.key

    def state(self) -> State:
        """How things stand."""
        return acts.fold(self.store.acts())

    def find(self, prefix: str) -> str:
        """The whole digest of the bundle that begins so. Raises ActRefused if none or two do."""
        return _find(self.state(), prefix)

    def sign(self, texts: Texts) -> SignedBundle:
        """A signed bundle of these texts, which is stored nowhere."""
        return SignedBundle.sign(self.compile(texts).digest, texts, self._signer)

    def push(self, bundle: SignedBundle, by: By) -> str:
        """Store a bundle and propose it; its digest. The same one again changes nothing."""
        compiled = self.compile(bundle.texts(self._signer.key))
        if compiled.digest != bundle.digest:
            raise ConfigError(
                f"Bundle {bundle.digest[:12]} was signed by another version of the gateway: here "
                f"it means {compiled.digest[:12]}. Sign its policies again."
            )
        state = self.state()
        if bundle.digest in state.proposed:
            return bundle.digest
        self.store.put(bundle, now_ms=self._clock.now_ms(), who=by.who)
        self._do(What.PROPOSED, bundle.digest, by, state)
        return bundle.digest

    def approve(self, prefix: str, by: By) -> Act:
        """Say that a bundle may come into force."""
        state = self.state()
        return self._do(What.APPROVED, _find(state, prefix), by, state)

    def activate(self, prefix: str, by: By) -> Act:
        """Put a bundle into force, for everybody and at once."""
        state = self.state()
        return self._do(What.ACTIVATED, self._sound(state, prefix), by, state)

    def stage(
        self, prefix: str, by: By, *, percent: int, margin_pm: int = 10, minimum: int = 100
    ) -> Act:
        """Let a bundle judge that share of the conversations; 0: none, as a shadow.

        margin_pm, minimum: when it takes itself back (`rollout.jumped`).
        """
        if not 0 <= percent < 100:
            raise ActRefused("A stage is 0 (a shadow) to 99 percent. For all: activate.")
        if not 0 <= margin_pm <= 1000 or not 1 <= minimum <= MAX_MINIMUM:
            raise ActRefused(
                f"Expected a margin of 0 to 100 percent and a minimum of 1 to {MAX_MINIMUM:,}."
            )
        state = self.state()
        return self._do(
            What.STAGED,
            self._sound(state, prefix),
            by,
            state,
            percent=percent,
            margin_pm=margin_pm,
            minimum=minimum,
        )

    def promote(self, by: By, *, percent: int | None = None) -> Act:
        """Take the rollout to its next step, or to this one; at 100 the bundle is in force."""
        state = self.state()
        rollout = state.rollout
        if rollout is None:
            raise ActRefused("Nothing is staged. First: gateway policy stage DIGEST")
        to = acts.next_step(rollout.percent) if percent is None else percent
        if not 0 < to <= 100:
            raise ActRefused("Expected a percentage of 1 to 100.")
        return self._do(
            What.PROMOTED,
            self._sound(state, rollout.digest),
            by,
            state,
            percent=to,
            margin_pm=rollout.margin_pm,
            minimum=rollout.minimum,
        )

    def roll_back(self, by: By, *, only: Rollout | None = None) -> Act:
        """Take the rollout back, else the bundle in force for the one before it.

        only: nothing but this step of this rollout.
        """
        state = self.state()
        if only is not None and state.rollout != only:
            raise ActRefused("This step of the rollout is over.")
        back = state.rollout.digest if state.rollout else state.active
        if state.rollout is None and state.earlier and state.earlier[-1]:
            self._sound(state, state.earlier[-1])
        return self._do(What.ROLLED_BACK, back, by, state)

    def _sound(self, state: State, prefix: str) -> str:
        """The digest of a bundle that can be read and compiled here."""
        digest = _find(state, prefix)
        self.compile(self.store.texts(digest))
        return digest

    def _do(self, what: What, digest: str, by: By, state: State, **numbers: int) -> Act:
        """The next act after this state. Raises ActRefused if another one came first.

        state: what it was worked out from. Looked at anew here, a step back that is meant for a
        rollout would take what is in force, once the rollout has ended in between.
        """
        act = Act(
            n=state.n + 1,
            ts_ms=self._clock.now_ms(),
            what=what,
            digest=digest,
            who=_plain(by.who)[: acts.MAX_WHO_CHARS],
            reason=_plain(by.reason)[: acts.MAX_REASON_CHARS],
            **numbers,
        )
        acts.check(state, act, four_eyes=self.four_eyes, person_of=self._person_of)
        core = {
            "via": by.via,
            "act": act.n,
            "what": what.value,
            "digest": digest,
            "in_force": state.active,
            "percent": act.percent,
            "who": act.who,
            "reason": act.reason,
        }
        self._record(CHANGE, core, by)
        self.store.append(act)
        return act


def _find(state: State, prefix: str) -> str:
    known = [digest for digest in state.proposed if digest.startswith(prefix)]
    if len(prefix) < MIN_PREFIX_CHARS or len(known) != 1:
        many = "more than one bundle" if len(known) > 1 else "no bundle"
        raise ActRefused(
            f"There is {many} {prefix[:64]!r}. Expected at least {MIN_PREFIX_CHARS} "
            "characters of a digest. See: gateway policy status"
        )
    return known[0]


def _plain(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()
