"""What judges now, at every replica; and what stays in force when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from sqlalchemy import Engine, text

from gateway import db
from gateway.core.errors import ConfigError
from gateway.core.judgement import Principal
from gateway.core.message import Part
from gateway.core.ports import Bundle, Chosen
from gateway.lifecycle.rollout import Tally, beginning, within
from gateway.lifecycle.watch import Watch
from tests.audit.conftest import drop_triggers
from tests.lifecycle.house import ANNA, Office, compiled, policy

FILES = compiled(policy("files"))
WHO = Principal("k1", "test", "acme")


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


@pytest.fixture
def watch(engine: Engine, office: Office) -> Callable[..., Watch]:
    def make(replica: str = "r1", compile_: Callable[..., Bundle] = compiled) -> Watch:
        return Watch(
            office.store,
            engine,
            files=lambda: FILES,
            compile_=compile_,
            seal=lambda tenant, data: sha256(data).hexdigest(),
            replica=replica,
        )

    return make


def chosen(watch: Watch, said: str = "hello") -> Chosen:
    return watch.choose(WHO, lambda: [Part("/p", said, "user")])


def digest(watch: Watch) -> str:
    return chosen(watch).bundle.digest


def test_the_files_judge_until_a_bundle_is_activated_and_again_afterwards(
    office: Office, watch: Callable[..., Watch]
) -> None:
    here, there = watch("r1"), watch("r2")
    for each in (here, there):
        each.refresh()
        assert digest(each) == FILES.digest
    one = office.active("one")
    for each in (here, there):
        each.refresh()
        assert digest(each) == one
    office.desk.roll_back(ANNA)
    here.refresh()
    assert (digest(here), digest(there)) == (FILES.digest, one)


def test_what_was_chosen_stays_what_it_is(office: Office, watch: Callable[..., Watch]) -> None:
    here = watch()
    one = office.active("one")
    here.refresh()
    before = chosen(here)
    office.active("two")
    here.refresh()
    assert before.bundle.digest == one != digest(here)


SPOILED = {
    "a changed bundle": "UPDATE policy_bundle SET sources = replace(sources, 'two', 'tow')",
    "a forged act": "UPDATE policy_act SET who = 'x' WHERE n = 3",
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_was_in_force_stays_when_what_comes_is_bad(
    office: Office, watch: Callable[..., Watch], engine: Engine, how: str
) -> None:
    here = watch()
    one = office.active("one")
    here.refresh()
    office.active("two")
    drop_triggers(engine)
    with db.writing(engine) as connection:
        connection.execute(text(SPOILED[how]))
    here.refresh()
    assert digest(here) == one
    assert here.caution.startswith("not taken over")
    fresh = watch("r2")
    fresh.refresh()
    with pytest.raises(ConfigError, match="cannot be used"):
        fresh.check()


@pytest.mark.parametrize("acted_since", [False, True])
def test_acts_that_are_cut_off_bring_nothing_old_back(
    office: Office, watch: Callable[..., Watch], engine: Engine, acted_since: bool
) -> None:
    here = watch()
    office.active("one")
    two = office.active("two")
    here.refresh()
    drop_triggers(engine)
    with db.writing(engine) as connection:
        connection.execute(text("DELETE FROM policy_act WHERE n = 4"))
    if acted_since:
        # As many acts as before, and one more: it is not for their number that this is noticed.
        office.push("three")
        office.push("four")
    here.refresh()
    assert digest(here) == two
    assert "Act 4, which is in force here" in here.caution


def test_a_bundle_that_does_not_compile_here_changes_nothing(
    office: Office, watch: Callable[..., Watch]
) -> None:
    def older(texts: list[tuple[str, str]]) -> Bundle:
        if texts[0][0] == "two.yaml":
            raise ConfigError("two.yaml:5: unknown action")
        return compiled(texts)

    here = watch(compile_=older)
    one = office.active("one")
    office.active("two")
    here.refresh()
    assert "unknown action" in here.caution
    office.desk.roll_back(ANNA)
    here.refresh()
    assert (here.caution, digest(here)) == ("", one)


def test_a_shadow_judges_nothing(office: Office, watch: Callable[..., Watch]) -> None:
    here, two = watch(), office.push("two")
    office.desk.stage(two, ANNA, percent=0)
    here.refresh()
    choice = chosen(here)
    assert choice.bundle.digest == FILES.digest
    assert choice.shadow is not None
    assert (choice.shadow.digest, choice.told) == (two, None)


def test_the_conversation_is_not_looked_at_without_a_rollout(
    office: Office, watch: Callable[..., Watch]
) -> None:
    here = watch()
    office.active("one")
    office.desk.stage(office.push("two"), ANNA, percent=0)
    here.refresh()
    here.choose(WHO, lambda: pytest.fail("it was looked at"))


def test_a_share_of_the_conversations_is_judged_by_the_new_one_and_stays_so(
    office: Office, watch: Callable[..., Watch]
) -> None:
    here, there = watch("r1"), watch("r2")
    two = office.push("two")
    office.desk.stage(two, ANNA, percent=10)
    talks = [f"conversation {n}" for n in range(2_000)]

    def staged() -> set[str]:
        for each in (here, there):
            each.refresh()
        found = {talk for talk in talks if chosen(here, talk).bundle.digest == two}
        assert found == {talk for talk in talks if chosen(there, talk).bundle.digest == two}
        return found

    ten = staged()
    assert 140 < len(ten) < 260
    office.desk.promote(ANNA, percent=50)
    fifty = staged()
    assert ten < fifty
    assert 900 < len(fifty) < 1_100


def test_how_a_conversation_begins() -> None:
    system, first = Part("/0", "be kind", "system"), Part("/1", "hi", "user")
    later = [Part("/2", "hello", "assistant"), Part("/3", "more", "user")]
    assert beginning([first]) == "hi"
    assert beginning([system, first, *later]) == beginning([system, first])
    assert beginning([Part("/0", " ", "user"), first]) == "hi"
    assert beginning(later[:1]) == ""


def test_without_a_beginning_the_key_tells(office: Office, watch: Callable[..., Watch]) -> None:
    here, two = watch(), office.push("two")
    office.desk.stage(two, ANNA, percent=50)
    here.refresh()
    keys = [Principal(f"k{n}", "", "acme") for n in range(200)]
    found = [here.choose(key, lambda: ()).bundle.digest == two for key in keys]
    assert found == [here.choose(key, lambda: ()).bundle.digest == two for key in keys]
    assert 60 < sum(found) < 140


def test_who_is_among_few_is_among_many() -> None:
    seals = [f"{n * 429_497:08x}" for n in range(9_999)]
    for few, many in ((0, 1), (1, 10), (10, 99), (99, 100)):
        assert all(within(seal, many) for seal in seals if within(seal, few))
    assert sum(within(seal, 10) for seal in seals) == pytest.approx(1_000, abs=20)


# staged, blocked, others, blocked, margin in per mille -> is it taken back?
JUMPS = [
    (50, 50, 5_000, 10, 10, False),  # too few
    (200, 2, 5_000, 50, 10, False),  # the same share
    (200, 8, 5_000, 50, 10, False),  # may be chance
    (200, 30, 5_000, 50, 10, True),
    (200, 30, 5_000, 50, 200, False),  # within the margin
    (200, 0, 5_000, 2_500, 10, False),  # fewer blocks are no jump
    (1_000, 1_000, 100, 0, 10, True),
    (1_000, 1_000, 99, 0, 10, False),
]


@pytest.mark.parametrize("case", JUMPS, ids=str)
def test_a_rollout_is_over_when_it_clearly_blocks_more(
    case: tuple[int, int, int, int, int, bool],
) -> None:
    staged, staged_blocked, others, others_blocked, margin_pm, jumps = case
    tally = Tally(staged, staged_blocked, others, others_blocked)
    assert tally.jumped(margin_pm=margin_pm, minimum=100) is jumps


def test_replicas_count_together(office: Office, watch: Callable[..., Watch]) -> None:
    here, there = watch("r1"), watch("r2")
    two = office.push("two")
    office.desk.stage(two, ANNA, percent=50, minimum=30)
    for each in (here, there):
        each.refresh()
        for n in range(100):
            choice = chosen(each, f"talk {n}")
            assert choice.told is not None
            choice.told(choice.bundle.digest == two)
    assert here.jumped() is not None
    found = there.jumped()
    assert found is not None
    step, tally = found
    assert step == office.desk.state().rollout
    assert tally.staged + tally.others == 200
    assert (tally.staged_blocked, tally.others_blocked) == (tally.staged, 0)
    assert there.jumped() == found


def test_what_is_told_of_an_earlier_step_is_not_counted(
    office: Office, watch: Callable[..., Watch]
) -> None:
    here = watch()
    office.desk.stage(office.push("two"), ANNA, percent=1, minimum=1)
    here.refresh()
    old = chosen(here)
    office.desk.promote(ANNA)
    here.refresh()
    assert old.told is not None
    old.told(True)
    assert here.jumped() is None
    assert here._tally == Tally()
