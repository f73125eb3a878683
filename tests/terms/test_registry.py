"""What counts of all terms, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gateway import db
from gateway.core.errors import ConfigError
from gateway.core.judgement import Principal
from gateway.core.standing import NO_TERMS
from gateway.terms.inforce import spelt
from gateway.terms.ledger import Approval, Ledger, Whose
from gateway.terms.registry import Registry
from gateway.terms.standing import DAY_MS, Ways
from tests.terms.profiles import (
    HAZARDS,
    ONE,
    TEXT,
    WHO,
    Clock,
    acceptance,
    approval,
    attestation,
    profile,
    route,
)

FIRST = profile()
SECOND = profile(ONE.replace('rev: "1"', 'rev: "2"').replace("No hate", "Still no hate"))
THIRD = profile(ONE.replace('rev: "1"', 'rev: "3"').replace("No hate", "No hate at all"))
APPROVED = approval(FIRST, 900, spelt(FIRST))
TENANT, APPLICATION, KEY = (
    Whose("acme"), Whose("acme", "shop"), Whose("acme", "shop", "k1")
)  # fmt: skip


class Desk:
    """A registry on a ledger that tests write to."""

    def __init__(self, engine: Engine, drafts: dict[str, Any] | None = None) -> None:
        self.clock = Clock()
        self.ledger = Ledger(engine)
        drafts = {"maker/one": FIRST} if drafts is None else drafts
        self.registry = Registry(engine, drafts, HAZARDS, ways=Ways(), clock=self.clock)

    def add(self, *acts: Any) -> None:
        for act in acts:
            self.ledger.add(act)
        self.registry.refresh()

    def states(self, who: Principal = WHO, **about: Any) -> list[str]:
        found = self.registry.standing(who, route(**about), TEXT)
        return [state.code for state in found.states]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_what_is_added_can_be_read_and_withdrawn_once(desk: Desk) -> None:
    desk.add(APPROVED)
    assert desk.ledger.all(Approval) == [APPROVED]
    assert desk.ledger.find(APPROVED.id) == APPROVED
    assert desk.ledger.find("other") is None
    assert desk.ledger.withdraw(APPROVED, by="legal", now_ms=5)
    assert not desk.ledger.withdraw(APPROVED, by="legal", now_ms=6)
    assert desk.ledger.all(Approval) == [replace(APPROVED, withdrawn_by="legal", withdrawn_ms=5)]


def test_a_draft_counts_until_it_is_approved_and_again_when_that_is_withdrawn(desk: Desk) -> None:
    assert desk.states() == ["draft"]
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 900))
    assert desk.states() == ["not_accepted"]
    desk.ledger.withdraw(APPROVED, by="legal", now_ms=5)
    desk.add()
    assert desk.states() == ["draft"]


def test_what_was_approved_counts_whatever_the_file_says(engine: Engine) -> None:
    desk = Desk(engine, {"maker/one": SECOND})
    desk.add(APPROVED)
    found = desk.registry.profiles["maker/one"]
    assert (found.profile.rev, found.newer) == ("1", "2")
    assert found.profile == replace(FIRST, at=found.profile.at, raw=found.profile.raw)
    desk.add(approval(SECOND, 990, spelt(SECOND)))
    found = desk.registry.profiles["maker/one"]
    assert (found.profile.rev, found.newer) == ("2", "")


def test_a_new_revision_has_its_time_of_grace_with_a_warning(desk: Desk) -> None:
    desk.add(APPROVED, acceptance(FIRST, TENANT, 901), attestation("ui_shows_one", TENANT, 901))
    desk.add(approval(SECOND, 995, spelt(SECOND)))
    assert desk.states() == ["revision_pending"]
    ((source, words),) = desk.registry.standing(WHO, route(), TEXT).warnings
    assert source == "terms/maker/one"
    assert "maker/one@2" in words
    desk.clock.day = 1_006
    desk.add()
    assert desk.states() == ["revision_lapsed"]
    desk.add(acceptance(SECOND, TENANT, 1_006))
    assert desk.states() == []
    assert desk.registry.standing(WHO, route(), TEXT).warnings == ()


def test_no_later_revision_gives_grace_anew_to_who_let_one_pass(desk: Desk) -> None:
    desk.add(APPROVED, acceptance(FIRST, TENANT, 901), attestation("ui_shows_one", TENANT, 901))
    # Approved before: not new to who has accepted since.
    desk.add(approval(THIRD, 890, spelt(THIRD), "older"))
    desk.add(approval(SECOND, 970, spelt(SECOND)))
    assert desk.states() == ["revision_lapsed"]
    desk.add(approval(THIRD, 999, spelt(THIRD)))
    assert desk.states() == ["revision_lapsed"]
    # The same text once more is nothing new either.
    desk.add(acceptance(SECOND, TENANT, 971), approval(SECOND, 972, spelt(SECOND), "again"))
    desk.add(approval(THIRD, 999, spelt(THIRD), "last"))
    assert desk.states() == ["revision_pending"]


# what time alone changes -> (the day, the states before it, those from then on)
ENDS = {
    "an acceptance": (
        [APPROVED, acceptance(FIRST, TENANT, 901, expires_ms=1_001 * DAY_MS)],
        [],
        ["acceptance_expired"],
    ),
    "an attestation": (
        [
            APPROVED,
            acceptance(FIRST, TENANT, 901),
            attestation("ui_shows_one", TENANT, 902, expires_ms=1_001 * DAY_MS),
        ],
        [],
        ["attestation_missing"],
    ),
    "the grace of a revision": (
        [APPROVED, acceptance(FIRST, TENANT, 901), approval(SECOND, 991, spelt(SECOND))],
        ["revision_pending"],
        ["revision_lapsed"],
    ),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_ends_ends_at_that_moment_also_while_nothing_new_can_be_read(
    desk: Desk, what: str
) -> None:
    acts, before, after = ENDS[what]
    desk.add(*acts, attestation("ui_shows_one", TENANT, 901))
    desk.clock.day = 1_001 - 1 / DAY_MS
    assert desk.states() == before
    desk.clock.day = 1_001
    assert desk.states() == after


# (acts on the tenant, its application, the key: accepted, withdrawn, or nothing) -> states
LEVELS = [
    ("a--", []),
    ("-a-", []),
    ("--a", []),
    ("aw-", ["acceptance_withdrawn"]),
    ("wa-", []),
    ("awa", []),
    ("aaw", ["acceptance_withdrawn"]),
    ("---", ["not_accepted"]),
]


@pytest.mark.parametrize(("acts", "states"), LEVELS)
def test_the_most_specific_acceptance_counts(desk: Desk, acts: str, states: list[str]) -> None:
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 901))
    for act, whose in zip(acts, (TENANT, APPLICATION, KEY), strict=True):
        if act != "-":
            withdrawn = {"withdrawn_ms": 1} if act == "w" else {}
            desk.add(acceptance(FIRST, whose, 901, **withdrawn))
    assert desk.states() == states


def test_what_is_accepted_after_a_withdrawal_counts(desk: Desk) -> None:
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 901))
    desk.add(acceptance(FIRST, TENANT, 901, withdrawn_ms=1), acceptance(FIRST, TENANT, 902))
    assert desk.states() == []


def test_attestations_of_several_levels_unite_and_the_most_specific_counts(desk: Desk) -> None:
    desk.add(
        attestation("human_in_loop", TENANT, 1),
        attestation("ui_shows_one", TENANT, 1),
        attestation("ui_shows_one", APPLICATION, 1, withdrawn_ms=2),
        attestation("licensee_region", TENANT, 1, "US"),
        attestation("licensee_region", KEY, 1, "DE"),
        attestation("users_got_notice", TENANT, 1, expires_ms=2 * DAY_MS),
    )
    assert desk.registry.attested(WHO) == {"human_in_loop": "", "licensee_region": "DE"}
    assert desk.registry.standing(WHO, route(), TEXT).attested == (
        "human_in_loop", "licensee_region"
    )  # fmt: skip


def test_two_tenants_stand_apart(desk: Desk) -> None:
    desk.add(APPROVED, acceptance(FIRST, TENANT, 901), attestation("ui_shows_one", TENANT, 901))
    other = Principal("k2", "dan", tenant="other", application="shop")
    assert desk.states() == []
    assert desk.states(other)[0] == "not_accepted"
    assert desk.registry.attested(other) == {}


def test_what_runs_out_counts_no_more_after_the_next_look(desk: Desk) -> None:
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 901))
    desk.add(acceptance(FIRST, TENANT, 901, expires_ms=1_001 * DAY_MS))
    assert desk.states() == []
    desk.clock.day = 1_002
    desk.add()
    assert desk.states() == ["acceptance_expired"]


@pytest.mark.parametrize(
    ("terms", "under", "states"),
    [
        ((NO_TERMS,), [NO_TERMS], []),
        (("maker/two",), [], ["no_profile"]),
        (("maker/one",), ["maker/one"], ["draft"]),
    ],
)
def test_terms_are_none_or_a_profile_or_nobody_has_said(
    desk: Desk, terms: tuple[str, ...], under: list[str], states: list[str]
) -> None:
    found = desk.registry.standing(WHO, route("one", *terms), TEXT)
    assert [each.profile for each in found.under] == under
    assert [each.code for each in found.states] == states


def test_a_profile_that_is_not_for_this_model_does_not_count(desk: Desk) -> None:
    assert desk.states(model="two") == ["no_profile"]


def test_of_several_profiles_each_has_its_say(engine: Engine) -> None:
    other = profile(ONE.replace("maker/one", "maker/two"))
    desk = Desk(engine, {"maker/one": FIRST, "maker/two": other})
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 901), acceptance(FIRST, TENANT, 901))
    found = desk.registry.standing(WHO, route("one", "maker/one", "maker/two"), TEXT)
    assert [(each.profile, bool(each.acceptance)) for each in found.under] == [
        ("maker/one", True), ("maker/two", False)
    ]  # fmt: skip
    assert [(each.profile, each.code) for each in found.states] == [("maker/two", "draft")]
    assert found.notices == ("Built with One",)


def test_an_approval_whose_text_was_changed_is_refused(engine: Engine, desk: Desk) -> None:
    changed = spelt(FIRST).replace("No hate", "Some hate")
    desk.ledger.add(replace(APPROVED, document=changed))
    with pytest.raises(ConfigError, match="another text than was approved"):
        desk.registry.refresh()


def test_a_database_that_is_away_leaves_what_was_known_and_says_so(
    engine: Engine, desk: Desk
) -> None:
    desk.add(APPROVED, attestation("ui_shows_one", TENANT, 901), acceptance(FIRST, TENANT, 901))
    with db.writing(engine) as connection:
        connection.execute(text("ALTER TABLE terms_approval RENAME TO away"))
    asyncio.run(desk.registry.look())
    assert "not read again" in desk.registry.caution
    assert desk.states() == []
    with db.writing(engine) as connection:
        connection.execute(text("ALTER TABLE away RENAME TO terms_approval"))
    asyncio.run(desk.registry.look())
    assert desk.registry.caution == ""


def test_it_tells_when_other_profiles_count_and_only_then(desk: Desk) -> None:
    told: list[Callable[[], None]] = []
    desk.registry.changed = lambda: told.append(desk.registry.changed)

    async def run() -> None:
        await desk.registry.start()
        desk.ledger.add(acceptance(FIRST, TENANT, 901))
        await desk.registry.look()
        assert not told
        desk.ledger.add(APPROVED)
        await desk.registry.look()
        assert len(told) == 1
        await desk.registry.aclose()

    asyncio.run(run())


def test_what_the_catalogue_says_of_data_is_held_against_terms(engine: Engine) -> None:
    training = profile(ONE + "data: {trains: yes, clause: notice}\n")
    desk = Desk(engine, {"maker/one": training})
    desk.add(
        approval(training, 900, spelt(training)),
        acceptance(training, TENANT, 900),
        attestation("ui_shows_one", TENANT, 900),
    )
    assert desk.states(trains=True) == []
    assert desk.states(trains=False) == ["handling_contradicted"]


def test_time_goes_on_while_the_database_is_away(engine: Engine) -> None:
    desk = Desk(engine)
    ends_ms = round(1_001 * DAY_MS)
    desk.add(
        APPROVED,
        acceptance(FIRST, TENANT, 900, expires_ms=ends_ms),
        attestation("ui_shows_one", TENANT, 900),
    )
    assert desk.states() == []
    with db.writing(engine) as connection:
        connection.execute(text("DROP TABLE terms_approval"))
    desk.clock.day = 1_002
    asyncio.run(desk.registry.look())
    assert desk.registry.caution
    assert desk.states() == ["acceptance_expired"]
