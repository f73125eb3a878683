"""The profiles that come with the gateway: they can be read, examples hold, the page is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import actions, taxonomy
from gateway.core.standing import STATES
from gateway.policy import examples
from gateway.policy.bundle import compile_documents
from gateway.policy.language import Vocabulary
from gateway.settings import shipped
from gateway.terms import facts, reading, reading_clauses, reading_examples, rules, trying
from gateway.terms.profile import Certainty, Class, Profile
from gateway.terms.standing import InForce
from tests.terms.profiles import HAZARDS

PROFILES = reading.load(shipped("policies") / "terms", HAZARDS)
ACTIONS = actions.load()
PAGE = (Path(__file__).parents[2] / "docs" / "terms.md").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


@EACH
def test_examples_hold(profile: Profile) -> None:
    assert profile.examples
    assert [tried for tried in trying.run([profile]) if tried.differs] == []


@EACH
@pytest.mark.parametrize("approved_ms", [None, 1])
def test_rules_compile_and_only_those_approved_do_more_than_flag(
    profile: Profile, approved_ms: int | None
) -> None:
    document = rules.policy(InForce(profile, approved_ms), taxonomy.load().categories())
    if document is None:
        return
    bundle = compile_documents([], Vocabulary(ACTIONS), [document])
    (policy,) = bundle.policies
    assert (bundle.written, policy.made) == ((), True)
    done = {rule.action.name for rule in policy.rules}
    if approved_ms is None:
        assert done == {"flag", "allow"}
    else:
        outcomes = examples.run(bundle, lambda _text: [], ACTIONS)
        assert [outcome.differs for outcome in outcomes if not outcome.passed] == []


@EACH
def test_none_is_approved_and_none_stops_by_what_is_unclear(profile: Profile) -> None:
    assert profile.status == "draft"
    for clause in profile.clauses:
        stops = clause.klass in (Class.ENFORCE, Class.ATTEST) or clause.action == "block"
        assert not (stops and clause.certainty is Certainty.UNCLEAR)


@EACH
def test_no_summary_is_a_quotation_nor_long(profile: Profile) -> None:
    for clause in profile.clauses:
        assert len(clause.summary) <= 240
        assert '"' not in clause.summary


def test_the_page_lists_every_profile_with_its_status_and_certainty() -> None:
    rows = re.findall(
        r"^\| `([^`]+/[^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE
    )
    told = {id_: tuple(cell.strip() for cell in cells) for id_, *cells in rows}
    assert told == {
        each.id: (each.title, each.status, each.certainty.value) for each in PROFILES.values()
    }


WORDS = [
    *reading.TOP_KEYS,
    *reading_clauses.CLAUSE_KEYS,
    *reading_examples.EXAMPLE_KEYS,
    *STATES,
    *facts.VALUED,
    *(each.value for each in Class),
    *(each.value for each in Certainty),
]


@pytest.mark.parametrize("word", sorted(set(WORDS)))
def test_every_word_of_a_profile_is_on_the_page(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", PAGE)
