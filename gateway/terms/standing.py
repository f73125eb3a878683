"""How a call stands with one profile: pure, from what is approved, accepted and attested."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.core import standing as core
from gateway.core.standing import State, Under
from gateway.terms import facts
from gateway.terms.ledger import Acceptance
from gateway.terms.places import spelt_out
from gateway.terms.profile import Class, Clause, Profile

DAY_MS = 86_400_000
# These warn; nothing is stopped by them yet.
PENDING = frozenset({core.REVISION_PENDING, core.ATTESTATION_PENDING})


@dataclass(frozen=True, slots=True)
class InForce:
    """A profile as it counts now. approved_ms: None while it is a draft.

    newer: the revision of a draft of it that waits for approval; empty if there is none. earlier:
    when which texts, by digest, were approved before it.
    """

    profile: Profile
    approved_ms: int | None = None
    newer: str = ""
    earlier: tuple[tuple[int, str], ...] = ()

    @property
    def approved(self) -> bool:
        """Whether a person has approved it."""
        return self.approved_ms is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a call terms may ask about.

    trains, retention_days: what the catalogue says of where it goes, as a route does.
    attested: values by name, of those that hold now. accepted: of the acceptances of this
    profile the latest of the most specific level.
    """

    tier: str
    modalities: Collection[str]
    attested: Mapping[str, str]
    accepted: Acceptance | None
    trains: bool = True
    retention_days: int = -1


@dataclass(frozen=True, slots=True)
class Ways:
    """How a caller is told to mend things. where: an address; empty: our own commands and page."""

    where: str = ""
    grace_days: int = 30

    def grace_ms(self, found: InForce, accepted: Acceptance | None = None) -> int:
        """When the grace of this revision ends.

        accepted: of another revision. Grace then began with the first one after that: who let it
        pass gets no new one with each revision that follows.
        """
        began_ms = found.approved_ms or 0
        if accepted is not None:
            began_ms = min(
                (
                    approved_ms
                    for approved_ms, digest in found.earlier
                    if approved_ms > accepted.accepted_ms and digest != accepted.digest
                ),
                default=began_ms,
            )
        days = found.profile.acceptance.grace_days
        return began_ms + (self.grace_days if days is None else days) * DAY_MS

    def to(self, command: str) -> str:
        """The end of a sentence that says what to do."""
        if self.where:
            return f"See {self.where}"
        return f"An administrator can do so at /terms of the admin app, or by: gateway {command}"


def stand(
    found: InForce, asked: Asked, *, now_ms: int, ways: Ways
) -> tuple[Under, tuple[State, ...]]:
    """The profile as a record names it, and what is not as it asks, the gravest first."""
    profile = found.profile
    if not found.approved:
        words = (
            f"{_about(profile)} are a draft that nobody has approved. "
            f"{ways.to(f'terms approve {profile.id} --by WHO')}"
        )
        return Under(profile.id, profile.rev), (State(core.DRAFT, profile.id, "", words),)
    states = [*_acceptance(found, asked, now_ms, ways), *_handling(profile, asked)]
    for clause in profile.clauses:
        if not clause.modalities or clause.modalities.intersection(asked.modalities):
            states += _clause(found, clause, asked, now_ms, ways)
    states.sort(key=lambda state: state.code in PENDING)
    accepted = asked.accepted
    holds = accepted is not None and accepted.withdrawn_ms is None
    acceptance = accepted.id if accepted and holds else ""
    return Under(profile.id, profile.rev, acceptance, profile.limits()), tuple(states)


def _acceptance(found: InForce, asked: Asked, now_ms: int, ways: Ways) -> Iterator[State]:
    profile, accepted = found.profile, asked.accepted
    if not profile.acceptance.required:
        return
    accept = ways.to(f"terms accept {profile.id} --tenant TENANT --by WHO")
    code, words = "", ""
    if accepted is None:
        code, words = core.NOT_ACCEPTED, "have to be accepted before this model is used"
    elif accepted.withdrawn_ms is not None:
        code, words = core.ACCEPTANCE_WITHDRAWN, "had been accepted, and that was withdrawn"
    elif accepted.expires_ms is not None and accepted.expires_ms <= now_ms:
        code, words = core.ACCEPTANCE_EXPIRED, "were accepted for a time that is over"
    elif (accepted.rev, accepted.digest) != (profile.rev, profile.digest):
        until_ms = ways.grace_ms(found, accepted)
        if now_ms < until_ms:
            code = core.REVISION_PENDING
            words = f"are new and have to be accepted by {day(until_ms)}"
        else:
            code = core.REVISION_LAPSED
            words = f"are new and had to be accepted by {day(until_ms)}"
    if code:
        yield State(code, profile.id, "", f"{_about(profile)} {words}. {accept}")


def _clause(
    found: InForce, clause: Clause, asked: Asked, now_ms: int, ways: Ways
) -> Iterator[State]:
    profile = found.profile
    if clause.klass is Class.ATTEST and not clause.hazards:
        if clause.attests not in asked.attested:
            yield _unattested(found, clause, clause.attests, now_ms, ways)
    elif clause.tiers:
        if asked.tier in clause.tiers:
            words = f"exclude the tier {asked.tier!r} of this backend"
            yield _state(core.TIER_EXCLUDED, profile, clause, words)
        elif not asked.tier:
            words = "depend on the backend's tier, which the catalogue does not say"
            yield _state(core.TIER_UNKNOWN, profile, clause, words)
        elif profile.tiers and asked.tier not in profile.tiers:
            words = (
                f"know no tier {asked.tier!r}, as the catalogue says, but {_list(profile.tiers)}"
            )
            yield _state(core.TIER_UNKNOWN, profile, clause, words)
    elif clause.regions or clause.min_age:
        yield from _fact(found, clause, asked, now_ms, ways)


def contradictions(profile: Profile, asked: Asked) -> Iterator[str]:
    """What the catalogue says of data and the profile says otherwise, in words.

    Who has a contract of its own that is better says so by the tier.
    """
    said = profile.handling(asked.tier)
    tier = f" in the tier {asked.tier!r}" if asked.tier else ""
    if said.get("trains") == "yes" and not asked.trains:
        yield f"have models trained on what is sent there{tier}, and the catalogue says it is not"
    days, ours = said.get("retention_days"), asked.retention_days
    if days is not None and 0 <= ours < days:
        yield f"keep data {days} days{tier}, and the catalogue says {ours}"


def _handling(profile: Profile, asked: Asked) -> Iterator[State]:
    for words in contradictions(profile, asked):
        yield _state(core.HANDLING_CONTRADICTED, profile, _answering(profile, asked.tier), words)
    if asked.tier and (not profile.tiers or asked.tier in profile.tiers):
        return
    for tier in profile.data.get("tiers", {}):
        clause = _answering(profile, tier)
        asks = clause is not None and clause.tiers
        if not asks and any(contradictions(profile, replace(asked, tier=tier))):
            words = (
                f"say of the tier {tier!r} what the catalogue denies, and it names no known tier"
            )
            yield _state(core.TIER_UNKNOWN, profile, clause, words)
            return


def _answering(profile: Profile, tier: str) -> Clause | None:
    """The clause that says what becomes of data in this tier, if the profile names one."""
    id_ = profile.handling(tier).get("clause")
    return profile.clause(id_) if id_ else None


def _fact(found: InForce, clause: Clause, asked: Asked, now_ms: int, ways: Ways) -> Iterator[State]:
    """What depends on the attested value of a fact."""
    name = facts.USER_AGE_MIN
    if clause.regions:
        name = facts.LICENSEE_REGION if clause.of == "licensee" else facts.END_USER_REGIONS
    value = asked.attested.get(name)
    if value is None:
        yield _unattested(found, clause, name, now_ms, ways)
    elif clause.regions:
        if spelt_out(facts.places(value)) & clause.regions:
            who = "the licensee's country" if clause.of == "licensee" else "users' countries"
            words = f"exclude this use for {who}"
            yield _state(core.REGION_EXCLUDED, found.profile, clause, words)
    elif int(value) < clause.min_age:
        words = f"exclude users below {clause.min_age} years"
        yield _state(core.AGE_EXCLUDED, found.profile, clause, words)


def _unattested(found: InForce, clause: Clause, name: str, now_ms: int, ways: Ways) -> State:
    until_ms = ways.grace_ms(found)
    late = now_ms >= until_ms
    form = f"{name}=VALUE" if name in facts.VALUED else name
    return _state(
        core.ATTESTATION_MISSING if late else core.ATTESTATION_PENDING,
        found.profile,
        clause,
        f"ask that somebody attests {name!r}{'' if late else f' by {day(until_ms)}'}",
        ways.to(f"terms attest {form} --tenant TENANT --by WHO"),
    )


def _state(code: str, profile: Profile, clause: Clause | None, words: str, mend: str = "") -> State:
    where = f", clause {clause.id} ({clause.reference})," if clause else ""
    told = f"{_about(profile)}{where} {words}. {mend}"
    return State(code, profile.id, clause.id if clause else "", told.rstrip())


def _about(profile: Profile) -> str:
    source = profile.sources[0]
    dated = f" of {source.date}" if source.date else ""
    return f'The terms "{source.title}"{dated} ({profile.name})'


def _list(names: Collection[str]) -> str:
    return " or ".join(repr(name) for name in names)


def day(ms: int) -> str:
    """A date in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")
