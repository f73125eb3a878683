"""What is not as terms ask, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core import standing as core
from gateway.terms.ledger import Whose
from gateway.terms.profile import Profile
from gateway.terms.standing import DAY_MS, Asked, InForce, Ways, stand
from tests.terms.profiles import ONE as ONE_TEXT
from tests.terms.profiles import TEXT, acceptance, profile

ONE = profile()
OLD = replace(ONE, rev="0")
REWORDED = profile(No_hate="No hate at all")
ACME = Whose("acme")
APPROVED = 100
ALL = {"ui_shows_one": "", "licensee_region": "US"}


def states(day: int = 105, of: Profile = ONE, **changes: object) -> list[str]:
    given: dict[str, object] = {
        "tier": "",
        "modalities": TEXT,
        "attested": ALL,
        "accepted": acceptance(ONE, ACME, 100),
    }
    asked = Asked(**{**given, **changes})  # type: ignore[arg-type]
    _, found = stand(InForce(of, APPROVED * DAY_MS), asked, now_ms=day * DAY_MS, ways=Ways())
    return ["/".join(filter(None, (each.code, each.clause))) for each in found]


def test_whoever_has_accepted_and_attested_may_go_on() -> None:
    assert states() == []


ACCEPTANCES = [
    (None, 105, [core.NOT_ACCEPTED]),
    (acceptance(ONE, ACME, 100, expires_ms=104 * DAY_MS), 105, [core.ACCEPTANCE_EXPIRED]),
    (acceptance(ONE, ACME, 100, expires_ms=106 * DAY_MS), 105, []),
    (acceptance(ONE, ACME, 100, withdrawn_ms=1), 105, [core.ACCEPTANCE_WITHDRAWN]),
    (acceptance(OLD, ACME, 50), 109, [core.REVISION_PENDING]),
    # The revision of the same name, but of another text.
    (acceptance(REWORDED, ACME, 50), 110, [core.REVISION_LAPSED]),
    (acceptance(OLD, ACME, 50), 110, [core.REVISION_LAPSED]),
    (acceptance(OLD, ACME, 50, withdrawn_ms=1), 105, [core.ACCEPTANCE_WITHDRAWN]),
]


@pytest.mark.parametrize(("accepted", "day", "found"), ACCEPTANCES)
def test_an_acceptance_holds_until_it_does_not(
    accepted: object, day: int, found: list[str]
) -> None:
    assert states(day, accepted=accepted) == found


IMAGE = frozenset({"text", "image"})
CLAUSES = [
    ({"ui_shows_one": ""}, TEXT, 111, []),
    ({"ui_shows_one": "", "licensee_region": "DE"}, TEXT, 111, []),
    ({"ui_shows_one": "", "licensee_region": "DE"}, IMAGE, 111, ["region_excluded/eu"]),
    ({"ui_shows_one": "", "licensee_region": "DE"}, IMAGE, 101, ["region_excluded/eu"]),
    ({"ui_shows_one": ""}, IMAGE, 111, ["attestation_missing/eu"]),
    ({"ui_shows_one": ""}, IMAGE, 109, ["attestation_pending/eu"]),
    ({}, TEXT, 109, ["attestation_pending/notice"]),
    ({}, TEXT, 110, ["attestation_missing/notice"]),
]


@pytest.mark.parametrize(("attested", "modalities", "day", "found"), CLAUSES)
def test_clauses_ask_for_what_they_ask(
    attested: dict[str, str], modalities: frozenset[str], day: int, found: list[str]
) -> None:
    assert states(day, attested=attested, modalities=modalities) == found


def test_what_stops_comes_before_what_only_warns() -> None:
    found = states(105, attested={"licensee_region": "DE"}, modalities=IMAGE)
    assert found == ["region_excluded/eu", "attestation_pending/notice"]


def test_a_draft_asks_for_nothing_but_approval() -> None:
    asked = Asked("", TEXT, {}, None)
    under, (state,) = stand(InForce(ONE), asked, now_ms=0, ways=Ways())
    assert (under.profile, under.rev, under.acceptance) == ("maker/one", "1", "")
    assert state.code == core.DRAFT
    assert "gateway terms approve maker/one" in state.words


def test_words_name_the_document_the_revision_and_where_to_go() -> None:
    asked = Asked("", TEXT, ALL, None)
    for ways, where in (
        (Ways(), "gateway terms accept maker/one"),
        (Ways("https://x/y"), "https://x/y"),
    ):
        _, (state,) = stand(InForce(ONE, 1), asked, now_ms=0, ways=ways)
        assert state.words.startswith('The terms "The One Licence" of 2025-04-05 (maker/one@1)')
        assert where in state.words


TIERED = profile(
    ONE_TEXT
    + "tiers: [free, paid]\n"
    + "data: {trains: no, clause: notice, retention_days: 30, tiers: [\n"
    + "  {tier: free, trains: yes, clause: hate}]}\n"
)


@pytest.mark.parametrize(
    ("tier", "trains", "retention_days", "found"),
    [
        ("paid", False, 30, []),
        ("paid", False, -1, []),
        ("paid", True, 400, []),
        ("paid", False, 29, ["handling_contradicted/notice"]),
        ("free", True, -1, []),
        ("free", False, -1, ["handling_contradicted/hate"]),
        ("free", False, 0, ["handling_contradicted/hate"] * 2),
        ("", False, -1, ["tier_unknown/hate"]),
        ("Free", False, -1, ["tier_unknown/hate"]),
        ("", True, -1, []),
    ],
)
def test_a_catalogue_does_not_claim_more_than_terms_say(
    tier: str, trains: bool, retention_days: int, found: list[str]
) -> None:
    given = {"tier": tier, "trains": trains, "retention_days": retention_days}
    accepted = acceptance(TIERED, ACME, 100)
    assert states(of=TIERED, accepted=accepted, **given) == found


def test_a_call_is_told_what_its_outputs_may_not_be_used_for() -> None:
    limited = profile(
        ONE_TEXT + "output_use: {train_other_models: allowed, compete: forbidden, clause: notice}\n"
    )
    asked = Asked("", TEXT, ALL, acceptance(limited, ACME, 100))
    under, _ = stand(InForce(limited, APPROVED * DAY_MS), asked, now_ms=0, ways=Ways())
    assert under.output_use == ("compete:forbidden",)
