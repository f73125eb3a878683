"""What people do about terms: each act is worked out first, put on record, and only then counts.

Whoever calls here does that in this order: work out, record, carry out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.core.ports import Clock
from gateway.documents import unknown
from gateway.terms import facts
from gateway.terms.inforce import in_force, spelt
from gateway.terms.ledger import Acceptance, Act, Approval, Attestation, Ledger, Whose
from gateway.terms.profile import Profile
from gateway.terms.standing import DAY_MS, InForce

APPROVED, ACCEPTED = "terms.approved", "terms.accepted"
ATTESTED, WITHDRAWN = "terms.attested", "terms.withdrawn"
MAX_DAYS = 3_650
MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, in their own words. days: for how long it holds; None: as the profile says."""

    name: str
    role: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """An act that is worked out. kind, core: of its audit entry, without names of people."""

    id: str
    kind: str
    core: dict[str, Any]
    carry_out: Callable[[], object]


class Desk:
    """Works acts out. Every call blocks; raises ConfigError for what cannot be done."""

    def __init__(
        self,
        ledger: Ledger,
        drafts: Callable[[], Mapping[str, Profile]],
        hazards: Collection[str],
        clock: Clock,
    ) -> None:
        """drafts: the profiles of files now. hazards: the ids that profiles may name."""
        self.ledger = ledger
        self._drafts = drafts
        self._hazards = hazards
        self._clock = clock

    def profiles(self) -> dict[str, InForce]:
        """All profiles as they count now."""
        return in_force(self._drafts(), self.ledger.all(Approval), self._hazards)

    def draft(self, id_: str) -> Profile:
        """What would be approved of a profile."""
        drafts = self._drafts()
        if id_ not in drafts:
            raise ConfigError(f"There is no terms profile {id_[:80]!r}.{unknown(id_, drafts)}")
        return drafts[id_]

    def profile(self, id_: str) -> InForce:
        """A profile as it counts now."""
        found = self.profiles()
        if id_ not in found:
            raise ConfigError(f"There is no terms profile {id_[:80]!r}.{unknown(id_, found)}")
        return found[id_]

    def approve(self, id_: str, by: By, *, rev: str = "") -> Plan:
        """Have the profile of the file count from now on. rev: as for `accept`."""
        draft = self.draft(id_)
        _same(draft, rev)
        for past in self.ledger.all(Approval):
            if past.profile != id_ or past.rev != draft.rev:
                continue
            if past.digest != draft.digest:
                raise ConfigError(
                    f"{draft.name} was approved with another text ({past.digest[:12]}, now "
                    f"{draft.digest[:12]}). Give the new text a revision of its own: {draft.at}"
                )
            if past.withdrawn_ms is None:
                raise ConfigError(f"{draft.name} is approved already, as {past.id}.")
        act = Approval(
            new_id(), id_, draft.rev, draft.digest, spelt(draft), _name(by), self._clock.now_ms()
        )
        core = {"id": act.id, "profile": id_, "rev": act.rev, "digest": act.digest}
        return Plan(act.id, APPROVED, core, lambda: self.ledger.add(act))

    def accept(self, id_: str, whose: Whose, by: By, *, rev: str = "") -> Plan:
        """Accept a profile as it counts now, for a principal.

        rev: the revision that was read, which must be this one; empty: whichever it is.
        """
        found = self.profile(id_)
        _same(found.profile, rev)
        if not found.approved:
            raise ConfigError(
                f"{found.profile.name} is a draft. Somebody has to approve it first: gateway terms "
                f"approve {id_}"
            )
        profile, now_ms = found.profile, self._clock.now_ms()
        act = Acceptance(
            new_id(),
            whose.tenant,
            whose.application,
            whose.key_id,
            id_,
            profile.rev,
            profile.digest,
            _name(by),
            by.role[:MAX_CHARS],
            now_ms,
            _end(by, profile.acceptance.valid_days, now_ms),
        )
        core = {"profile": id_, "rev": act.rev, "digest": act.digest, **_whose(act)}
        return Plan(act.id, ACCEPTED, core, lambda: self.ledger.add(act))

    def attest(self, written: str, whose: Whose, by: By) -> Plan:
        """Attest that something holds for a principal. written: `name` or `name=value`."""
        name, _, value = written.partition("=")
        facts.check(name, value)
        now_ms = self._clock.now_ms()
        act = Attestation(
            new_id(),
            whose.tenant,
            whose.application,
            whose.key_id,
            name,
            value,
            _name(by),
            by.role[:MAX_CHARS],
            now_ms,
            _end(by, 0, now_ms),
        )
        core = {"name": name, "value": value, **_whose(act)}
        return Plan(act.id, ATTESTED, core, lambda: self.ledger.add(act))

    def withdraw(self, id_: str, by: By) -> Plan:
        """Take back an approval, an acceptance or an attestation."""
        act = self.ledger.find(id_)
        if act is None or act.withdrawn_ms is not None:
            told = "was withdrawn before" if act else "is nothing that can be withdrawn"
            raise ConfigError(f"{id_[:80]!r} {told}. See: gateway terms status")
        name, now_ms = _name(by), self._clock.now_ms()
        return Plan(
            id_,
            WITHDRAWN,
            {"id": id_, "what": _what(act)},
            lambda: self.ledger.withdraw(act, by=name, now_ms=now_ms),
        )


def _same(profile: Profile, rev: str) -> None:
    if rev and rev != profile.rev:
        raise ConfigError(
            f"This would be about {profile.name}, not about the revision {rev[:80]!r}. "
            "Read that first."
        )


def _what(act: Act) -> str:
    return type(act).__name__.lower()


def _whose(act: Acceptance | Attestation) -> dict[str, Any]:
    return {
        "id": act.id,
        "for": {"tenant": act.tenant, "application": act.application, "key_id": act.key_id},
        "expires_ms": act.expires_ms,
    }


def _name(by: By) -> str:
    if not by.name.strip() or len(by.name) > MAX_CHARS:
        raise ConfigError(f"Say who does this, in 1 to {MAX_CHARS} characters.")
    return by.name.strip()


def _end(by: By, usual_days: int, now_ms: int) -> int | None:
    """When it holds no longer. usual_days: if nobody says; 0: for ever."""
    if by.days is not None and not 1 <= by.days <= MAX_DAYS:
        raise ConfigError(f"Days: expected 1 to {MAX_DAYS}, found {by.days}.")
    days = usual_days if by.days is None else by.days
    return now_ms + days * DAY_MS if days else None
