"""What people may do with bundles, in which order, and what is on record of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from gateway import db
from gateway.core.errors import ConfigError
from gateway.lifecycle.acts import Act, ActRefused, next_step
from gateway.lifecycle.bundles import BundleRefused, SignedBundle, signer
from gateway.lifecycle.desk import By
from gateway.lifecycle.store import Store
from gateway.signing import Signer
from tests.audit.conftest import drop_triggers
from tests.lifecycle.house import ANNA, BERND, SIGNER, Office, compiled, policy


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


@pytest.fixture
def strict(engine: Engine) -> Office:
    return Office(engine, four_eyes=True)


def test_what_is_pushed_is_stored_signed_and_not_in_force(office: Office) -> None:
    digest = office.push("one")
    assert digest == compiled(policy("one")).digest
    assert office.store.texts(digest) == policy("one")
    assert (office.desk.state().active, list(office.desk.state().proposed)) == ("", [digest])


def test_the_same_meaning_is_the_same_bundle(office: Office) -> None:
    digest = office.push("one")
    ((name, said),) = policy("one")
    again = office.desk.sign([(name, "# another remark\n" + said)])
    assert office.desk.push(again, BERND) == digest
    assert len(office.store.acts()) == 1


def test_activated_and_taken_back_to_the_one_before_and_to_the_files(office: Office) -> None:
    one, two = office.active("one"), office.active("two")
    assert (office.desk.state().active, office.desk.state().earlier) == (two, ("", one))
    assert office.desk.roll_back(ANNA).digest == two
    assert office.desk.state().active == one
    office.desk.roll_back(ANNA)
    assert office.desk.state().active == ""
    with pytest.raises(ActRefused, match="files are in force"):
        office.desk.roll_back(ANNA)


def test_up_in_steps_to_all(office: Office) -> None:
    office.active("one")
    two = office.push("two")
    office.desk.stage(two, ANNA, percent=0, margin_pm=5, minimum=40)
    percents = []
    while (going := office.desk.state().rollout) is not None:
        percents.append((going.percent, going.margin_pm, going.minimum))
        office.desk.promote(ANNA)
    assert percents == [(0, 5, 40), (1, 5, 40), (10, 5, 40)]
    assert office.desk.state().active == two
    assert [next_step(p) for p in (0, 1, 5, 10, 50, 100)] == [1, 10, 10, 100, 100, 100]


def test_a_rollout_is_taken_back_before_what_is_in_force(office: Office) -> None:
    one, two = office.active("one"), office.push("two")
    office.desk.stage(two, ANNA, percent=10)
    assert office.desk.roll_back(ANNA).digest == two
    assert (office.desk.state().active, office.desk.state().rollout) == (one, None)


def test_only_this_step_of_a_rollout_is_taken_back_by_itself(office: Office) -> None:
    two = office.push("two")
    office.desk.stage(two, ANNA, percent=1)
    step = office.desk.state().rollout
    office.desk.promote(ANNA)
    with pytest.raises(ActRefused, match="is over"):
        office.desk.roll_back(By("gateway"), only=step)


def test_each_act_is_on_record_before_it_is_done(office: Office) -> None:
    one = office.active("one")
    office.desk.roll_back(BERND)
    assert [(r["kind"], r["act"], r["what"], r["who"]) for r in office.recorded] == [
        ("policy.change", 1, "proposed", "anna"),
        ("policy.change", 2, "activated", "anna"),
        ("policy.change", 3, "rolled_back", "bernd"),
    ]
    last = office.recorded[-1]
    assert (last["digest"], last["in_force"], last["reason"]) == (one, one, "looks good")


def test_what_cannot_be_recorded_is_not_done(office: Office, engine: Engine) -> None:
    one = office.push("one")

    def fail(*_: object) -> None:
        raise ConfigError("the log is away")

    office.desk._record = fail
    with pytest.raises(ConfigError, match="away"):
        office.desk.activate(one, ANNA)
    assert office.desk.state().active == ""


# what is done with a bundle -> whether it needs somebody else's approval
STEPS = {
    "activate": lambda desk, digest: desk.activate(digest, ANNA),
    "stage": lambda desk, digest: desk.stage(digest, ANNA, percent=1),
    "promote": lambda desk, digest: (
        desk.stage(digest, ANNA, percent=0),
        desk.promote(ANNA),
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_with_four_eyes_somebody_else_approves_first(strict: Office, step: str) -> None:
    one = strict.push("one")
    with pytest.raises(ActRefused, match="approval"):
        STEPS[step](strict.desk, one)
    with pytest.raises(ActRefused, match="somebody else"):
        strict.desk.approve(one, ANNA)
    strict.desk.approve(one, BERND)
    if step == "promote":
        strict.desk.promote(ANNA)
    else:
        STEPS[step](strict.desk, one)
    assert strict.desk.state().active == one or strict.desk.state().rollout


def test_the_same_eyes_under_another_spelling_are_no_other_eyes(strict: Office) -> None:
    one = strict.push("one")
    for who in ("Anna", "ANNA", "anna "):
        with pytest.raises(ActRefused, match="somebody else"):
            strict.desk.approve(one, By(who))


def test_two_keys_of_one_person_are_no_other_eyes(engine: Engine) -> None:
    mine = By("key:k1"), By("key:k2")
    before = Office(engine, four_eyes=True)
    one = before.push("one", by=mine[0])
    before.desk.approve(one, mine[1])
    person_of = {"key:k1": "Anna", "key:k2": "anna", "bernd": "bernd"}.__getitem__
    office = Office(engine, four_eyes=True, person_of=person_of)
    with pytest.raises(ActRefused, match="needs somebody else"):
        office.desk.activate(one, mine[0])
    with pytest.raises(ActRefused, match="Keys of one name"):
        office.desk.approve(one, mine[1])
    office.desk.approve(one, BERND)
    assert office.desk.activate(one, mine[1]).digest == one


def test_ones_own_approval_from_before_four_eyes_does_not_count(engine: Engine) -> None:
    office = Office(engine)
    one = office.push("one")
    office.desk.approve(one, ANNA)
    office.desk.four_eyes = True
    with pytest.raises(ActRefused, match="somebody else's approval"):
        office.desk.activate(one, ANNA)


@pytest.mark.parametrize("staged", [False, True])
def test_what_was_taken_back_needs_another_approval(strict: Office, staged: bool) -> None:
    one, other = strict.push("one"), strict.push("other")
    for digest in (one, other):
        strict.desk.approve(digest, BERND)
    if staged:
        strict.desk.stage(one, ANNA, percent=1)
    else:
        strict.desk.activate(one, ANNA)
    strict.desk.roll_back(By("gateway"))
    for again in (strict.desk.activate, partial(strict.desk.stage, percent=1)):
        with pytest.raises(ActRefused, match="somebody else's approval"):
            again(one, ANNA)
    strict.desk.activate(other, ANNA)
    strict.desk.approve(one, BERND)
    strict.desk.activate(one, ANNA)
    assert strict.desk.state().active == one


def test_a_shadow_and_a_step_back_need_nobody(strict: Office) -> None:
    one = strict.push("one")
    strict.desk.stage(one, ANNA, percent=0)
    strict.desk.roll_back(ANNA)
    assert strict.desk.state().rollout is None


def test_what_cannot_be_done_says_what_to_do(office: Office) -> None:
    one, two = office.active("one"), office.push("two")
    office.desk.stage(two, ANNA, percent=10)
    three = office.push("three")
    cases = [
        (lambda: office.desk.activate(one, ANNA), "in force already"),
        (lambda: office.desk.stage(three, ANNA, percent=1), "being rolled out"),
        (lambda: office.desk.promote(ANNA, percent=5), "at 10 percent already"),
        (lambda: office.desk.stage(three, ANNA, percent=100), "For all: activate"),
        (lambda: office.desk.activate("0" * 12, ANNA), "no bundle '000000000000'"),
        (lambda: office.desk.activate(one[:4], ANNA), "at least 8 characters"),
    ]
    before = len(office.store.acts())
    for act, words in cases:
        with pytest.raises(ActRefused, match=words):
            act()
    assert len(office.store.acts()) == before


def test_a_bundle_that_does_not_compile_is_not_stored(office: Office) -> None:
    with pytest.raises(ConfigError, match="unknown"):
        office.desk.sign(policy("one", "blok"))


def test_a_signed_bundle_travels_and_one_by_another_key_does_not(office: Office) -> None:
    bundle = SignedBundle.parse(str(office.desk.sign(policy("one"))))
    assert office.desk.push(bundle, ANNA) == bundle.digest
    forged = SignedBundle.sign(compiled(policy("two")).digest, policy("two"), signer(b"x" * 32))
    with pytest.raises(BundleRefused, match="no signature"):
        office.desk.push(forged, ANNA)
    with pytest.raises(BundleRefused, match="no signed bundle"):
        SignedBundle.parse("{}")


def test_texts_that_mean_something_else_than_was_signed_are_refused(office: Office) -> None:
    lied = SignedBundle.sign(compiled(policy("one")).digest, policy("two"), SIGNER)
    with pytest.raises(ConfigError, match="another version"):
        office.desk.push(lied, ANNA)


@pytest.mark.parametrize("table", ["policy_bundle", "policy_act"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET digest = 'x'"])
def test_rows_are_written_once(office: Office, engine: Engine, table: str, verb: str) -> None:
    office.active("one")
    with pytest.raises(DBAPIError, match="append-only"), db.writing(engine) as connection:
        connection.execute(text(verb.format(table)))


TAMPERED = {
    "sources": "UPDATE policy_bundle SET sources = replace(sources, 'block', 'allow')",
    "note": "UPDATE policy_bundle SET note = replace(note, 'digest', 'digesr')",
    "gone": "DELETE FROM policy_bundle",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_bundle_that_was_changed_in_the_database_is_refused(
    office: Office, engine: Engine, how: str
) -> None:
    one = office.push("one")
    drop_triggers(engine)
    with db.writing(engine) as connection:
        connection.execute(text(TAMPERED[how]))
    with pytest.raises(BundleRefused):
        office.desk.activate(one, ANNA)


FORGED = {
    "another bundle": "UPDATE policy_act SET digest = 'f' WHERE n = 2",
    "somebody else": "UPDATE policy_act SET who = 'bernd' WHERE n = 1",
    "a gap": "DELETE FROM policy_act WHERE n = 2",
    "one more": "INSERT INTO policy_act SELECT 4, ts_ms, what, digest, who, reason, percent, "
    "margin_pm, minimum, note FROM policy_act WHERE n = 2",
}


@pytest.mark.parametrize("how", FORGED)
def test_acts_that_nobody_signed_are_refused(office: Office, engine: Engine, how: str) -> None:
    office.active("one")
    office.push("two")
    drop_triggers(engine)
    with db.writing(engine) as connection:
        connection.execute(text(FORGED[how]))
    with pytest.raises(BundleRefused, match="not as it was signed"):
        office.desk.state()


def test_of_two_acts_at_once_one_is_done(office: Office, engine: Engine) -> None:
    one, two = office.push("one"), office.push("two")
    other = Office(engine)

    def meanwhile(*_: object) -> None:
        other.desk.activate(two, BERND)

    office.desk._record = meanwhile
    with pytest.raises(ActRefused, match="at the same moment"):
        office.desk.activate(one, ANNA)
    assert other.desk.state().active == two


# what is meant for a rollout, as two replicas and two people do it at once
LATE = {
    "a step back by itself": lambda desk, step: desk.roll_back(By("gateway"), only=step),
    "a step back": lambda desk, step: desk.roll_back(ANNA),
    "a step further": lambda desk, step: desk.promote(ANNA),
}


@pytest.mark.parametrize("late", LATE)
def test_what_is_meant_for_a_rollout_that_just_ended_touches_nothing_else(
    engine: Engine, late: str
) -> None:
    office, other = Office(engine), Office(engine)
    office.active("one")
    two = office.active("two")
    office.desk.stage(office.push("three"), ANNA, percent=1)
    step = office.desk.state().rollout
    office.desk.store = Late(engine, SIGNER, lambda: other.desk.roll_back(BERND))
    with pytest.raises(ActRefused, match="at the same moment"):
        LATE[late](office.desk, step)
    assert (other.desk.state().active, other.desk.state().rollout) == (two, None)


class Late(Store):
    """Somebody else acts as soon as it was looked at once."""

    def __init__(self, engine: Engine, signer: Signer, act: Callable[[], object]) -> None:
        super().__init__(engine, signer)
        self._meanwhile: list[Callable[[], object]] = [act]

    def acts(self) -> list[Act]:
        found = super().acts()
        while self._meanwhile:
            self._meanwhile.pop()()
        return found
