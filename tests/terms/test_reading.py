from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.terms import reading
from gateway.terms.places import EU
from tests.terms.profiles import HAZARDS, ONE, profile

# (what is replaced, by what, what the writer is told)
ERRORS = [
    ("kind: TermsProfile", "kind: Policy", ":2: kind: unknown name"),
    ("id: maker/one", "id: one", ":3: .*an id such as"),
    ("status: draft", "status: approved", "unknown name 'approved'.*Known: draft, superseded"),
    ("certainty: verified}", "certainty: sure}", ":5: .*unknown name 'sure'"),
    ("date: 2025-04-05", "date: April", "a date such as"),
    ("kind: license", "kind: license, sha256: abc", "64 hex digits"),
    ("kind: license", "kind: license, url: http://x", "https://"),
    ("grace_days: 10", "grace_days: 10000", "at most 3650"),
    ("class: community", "class: free", "unknown name 'free'"),
    ("class: enforce", "class: record", ":1.: clause 'eu', regions: only .* enforce"),
    ("deny: [EU]", "deny: [Europe]", "a country by its code"),
    ("of: licensee", "of: everybody", "unknown name 'everybody'"),
    ("    regions: {deny: [EU], of: licensee}\n", "", "one of regions, min_age and tiers"),
    ("    attests: ui_shows_one\n", "", "names what is to be attested"),
    ("attests: ui_shows_one", "attests: licensee_region", "has a value"),
    ("    hazards: [hate]\n", "", "clause 'hate'.*hazards"),
    ("hazards: [hate]", "hazards: [haet]", "Did you mean 'hate'"),
    ("action: block", "action: redact", "unknown name 'redact'"),
    ("id: notice\n", "id: eu\n", "the id 'eu' is taken"),
    ("clause: notice", "clause: notices", "Did you mean 'notice'"),
    ("clauses:", "tiers: [Free]\nclauses:", "small letters"),
    ("notices:", "data: {trains: maybe}\nnotices:", "unknown name 'maybe'"),
    ("notices:", "data: {tiers: [{trains: no}]}\nnotices:", "'tier' is missing"),
    ("notices:", "data: {tiers: [{tier: a}, {tier: a}]}\nnotices:", "given twice"),
    (
        "clauses:",
        "tiers: [free]\ndata: {tiers: [{tier: fre}]}\nclauses:",
        "Did you mean 'free'",
    ),
    ("modalities: [image]", "modalities: [smell]", "unknown name 'smell'"),
]


@pytest.mark.parametrize(("old", "new", "told"), ERRORS)
def test_errors_name_the_line_and_what_is_known(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in ONE
    path = tmp_path / "p.yaml"
    path.write_text(ONE.replace(old, new, 1))
    with pytest.raises(ConfigError, match=told) as caught:
        reading.load(path, HAZARDS)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("clause", ["eu", "notice", "hate"])
def test_nothing_is_stopped_by_what_is_unclear(clause: str) -> None:
    before, after = ONE.split(f"id: {clause}\n")
    text = f"{before}id: {clause}\n{after.replace('certainty: verified', 'certainty: unclear', 1)}"
    with pytest.raises(ConfigError, match="nothing is stopped by what is unclear"):
        profile(text)


def test_a_profile_says_what_stands_in_it() -> None:
    found = profile()
    assert found.name == "maker/one@1"
    assert found.clause("eu").regions == EU
    assert found.clause("hate").action == "block"
    assert (found.acceptance.required, found.acceptance.grace_days) == (True, 10)
    assert found.attestations() == ["ui_shows_one"]
    assert found.applies("any", "one-7b")
    assert not found.applies("any", "two")


def test_the_digest_is_of_what_it_says_not_of_how() -> None:
    one = profile()
    assert profile("# A remark.\n" + ONE.replace("[hate]", '["hate"]')).digest == one.digest
    assert profile(ONE + "examples: []\n").digest == one.digest
    assert profile(ONE.replace("No hate", "No hatred")).digest != one.digest


def test_a_folder_holds_each_profile_once_and_those_superseded_do_not_count(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    (tmp_path / "b.yaml").write_text(
        ONE.replace("maker/one", "maker/two").replace("status: draft", "status: superseded")
    )
    assert list(reading.load(tmp_path, HAZARDS)) == ["maker/one"]
    (tmp_path / "c.yaml").write_text(ONE)
    with pytest.raises(ConfigError, match=r"c.yaml:3: .*another profile 'maker/one'"):
        reading.load(tmp_path, HAZARDS)


def test_what_is_unclear_contradicts_nobody() -> None:
    before, after = ONE.split("class: detect\n    certainty: verified")
    text = f"{before}class: record\n    certainty: unclear{after}"
    text = text.replace("    hazards: [hate]\n    action: block\n", "")
    found = profile(text + "data: {trains: unclear, clause: hate}\n")
    assert found.handling("") == {"trains": "unclear", "clause": "hate"}
    for said in ("trains: yes", "retention_days: 30"):
        with pytest.raises(ConfigError, match="nothing is stopped by what is unclear"):
            profile(text + f"data: {{{said}, clause: hate}}\n")
