"""What people do with bundles, one act after the other, and the state that comes of it.

The acts are the only truth: which bundle is in force is never stored, it is what they come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.core.errors import ConfigError
from gateway.core.people import PersonOf, same_person

# The usual way up, in percent of the conversations. 0 is a shadow: asked, but never obeyed.
STEPS = (0, 1, 10, 100)
MAX_REASON_CHARS = 500
MAX_WHO_CHARS = 100


class ActRefused(ConfigError):
    """An act that cannot be done as things stand."""


class What(StrEnum):
    """Kinds of acts."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    ACTIVATED = "activated"
    STAGED = "staged"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Act:
    """n: from 1, without gaps. digest: the bundle; of a roll-back the one that is taken back.

    percent: of conversations that the bundle is to judge from now on. margin_pm, minimum: of a
    rollout, when it takes itself back (see `rollout`).
    """

    n: int
    ts_ms: int
    what: What
    digest: str
    who: str
    reason: str = ""
    percent: int = 0
    margin_pm: int = 0
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Rollout:
    """A bundle on its way into force. began: the act by which it got this percentage."""

    digest: str
    percent: int
    margin_pm: int
    minimum: int
    began: int
    began_ms: int


@dataclass(frozen=True, slots=True)
class State:
    """What the acts come to. n: of the last one; 0 if there is none.

    active: the bundle in force; empty: the files. earlier: those before it, the last one last.
    proposed: bundle -> by whom. approved: bundle -> by whom since it was last taken back; without
    four eyes also by the same.
    """

    n: int = 0
    active: str = ""
    earlier: tuple[str, ...] = ()
    rollout: Rollout | None = None
    proposed: Mapping[str, str] = field(default_factory=dict)
    approved: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def after(self, act: Act) -> State:
        """What it is after one more act."""
        state = replace(self, n=act.n)
        match act.what:
            case What.PROPOSED:
                return replace(state, proposed={**self.proposed, act.digest: act.who})
            case What.APPROVED:
                by = self.approved.get(act.digest, frozenset()) | {act.who}
                return replace(state, approved={**self.approved, act.digest: by})
            case What.ROLLED_BACK:
                return self._stepped_back(act)
            case What.STAGED | What.PROMOTED if act.percent < 100:
                return replace(state, rollout=_rollout(act))
            case _:
                earlier = [*self.earlier, self.active]
                return replace(state, active=act.digest, earlier=tuple(earlier), rollout=None)

    def _stepped_back(self, act: Act) -> State:
        # What was taken back is to be looked at again.
        approved = {each: by for each, by in self.approved.items() if each != act.digest}
        state = replace(self, n=act.n, approved=approved)
        if self.rollout is not None:
            return replace(state, rollout=None)
        *earlier, before = self.earlier or ("",)
        return replace(state, active=before, earlier=tuple(earlier))


def fold(acts: Iterable[Act]) -> State:
    """What all of them come to."""
    state = State()
    for act in acts:
        state = state.after(act)
    return state


def check(state: State, act: Act, *, four_eyes: bool, person_of: PersonOf = str) -> None:
    """Raises ActRefused if the act cannot be done now, and says what to do first.

    four_eyes: whether somebody else than who proposed a bundle must approve of it before it
    judges anything. Nobody need approve of a shadow or of a step back. person_of: of whom acts
    say that he did it.
    """
    if act.what not in (What.PROPOSED, What.ROLLED_BACK):
        _known(state, act)
    if act.what is What.APPROVED:
        if four_eyes and same_person(act.who, state.proposed[act.digest], person_of):
            raise ActRefused(
                f"{act.who} proposed this bundle, so somebody else must approve of it. Keys of one "
                "name are one person's."
            )
    elif act.what is What.ROLLED_BACK:
        if state.rollout is None and not state.active:
            raise ActRefused("There is nothing to take back: the policy files are in force.")
    elif act.what is not What.PROPOSED:
        if four_eyes and _judges(act):
            _check_approved(state, act, person_of)
        _check_step(state, act)


def _judges(act: Act) -> bool:
    """Whether the bundle judges something from then on; a shadow does not."""
    return act.what is What.ACTIVATED or act.percent > 0


def _check_approved(state: State, act: Act, person_of: PersonOf) -> None:
    """Somebody who did not propose the bundle has to have approved of it."""
    by, proposed = state.approved.get(act.digest, ()), state.proposed[act.digest]
    if all(same_person(who, proposed, person_of) for who in by):
        short = act.digest[:12]
        raise ActRefused(
            f"Bundle {short} needs somebody else's approval than that of {proposed}: "
            f"gateway policy approve {short}"
        )


def _known(state: State, act: Act) -> None:
    if act.digest not in state.proposed:
        raise ActRefused(
            f"There is no bundle {act.digest[:12]!r}. Push it first: gateway policy push PATH"
        )


def _check_step(state: State, act: Act) -> None:
    rollout, short = state.rollout, act.digest[:12]
    if act.digest == state.active:
        raise ActRefused(f"Bundle {short} is in force already.")
    if act.what is What.STAGED and rollout is not None and rollout.digest != act.digest:
        raise ActRefused(
            f"Bundle {rollout.digest[:12]} is being rolled out. Promote it to 100 percent or "
            "take it back first: gateway policy rollback"
        )
    if act.what is What.PROMOTED and (rollout is None or act.percent <= rollout.percent):
        now = "is not staged" if rollout is None else f"is at {rollout.percent} percent already"
        raise ActRefused(f"Bundle {short} {now}. See: gateway policy status")


def next_step(percent: int) -> int:
    """The usual percentage after this one."""
    return next(step for step in (*STEPS, 100) if step > percent or step == 100)


def _rollout(act: Act) -> Rollout:
    return Rollout(act.digest, act.percent, act.margin_pm, act.minimum, act.n, act.ts_ms)
