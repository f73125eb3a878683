from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.detectors._forms import ALPHABETS
from gateway.detectors._lists import Denied, read

HEAD = "apiVersion: gateway/v1\nkind: Lists\n"
GROUPS = {
    "contact": frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER"}),
    "gov_id": frozenset({"US_SSN"}),
}


PAGE = Path(__file__).parents[2] / "docs" / "detection.md"


def members(name: str) -> frozenset[str]:
    return GROUPS.get(name, frozenset())


def written(folder: Path, text: str, name: str = "lists.yaml") -> Path:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_all_that_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "projects.txt").write_text("# ours\n\nBlaue Lagune\n Nordlicht \n")
    path = written(
        tmp_path,
        """
deny:
  - {category: PROJECT_NAME, terms: [Sonnenhang], files: [projects.txt], within_words: true}
  - {category: CUSTOMER_NUMBER, forms: ["KD-<digit:6>"]}
allow:
  - {values: [Press@Example.org], categories: ["group:contact"]}
  - {values: [10.0.0.1]}
thresholds: {PERSON: 0.7, "group:contact": 0.2}
""",
    )
    found = read(path, members)
    assert found.denied == (
        Denied("PROJECT_NAME", ("Sonnenhang", "Blaue Lagune", "Nordlicht"), (), within_words=True),
        Denied("CUSTOMER_NUMBER", (), ("KD-<digit:6>",)),
    )
    assert found.sieve.allowed == {
        "EMAIL_ADDRESS": {"press@example.org"},
        "PHONE_NUMBER": {"press@example.org"},
        "": {"10.0.0.1"},
    }
    assert found.sieve.least == {"PERSON": 0.7, "EMAIL_ADDRESS": 0.2, "PHONE_NUMBER": 0.2}


def test_in_a_folder_what_is_no_list_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "thresholds: {PERSON: 0.7}\n")
    written(tmp_path, "thresholds: {LOCATION: 0.6}\n", "more.yaml")
    (tmp_path / "policy.yaml").write_text("apiVersion: gateway/v1\nkind: Policy\n")
    assert read(tmp_path, members).sieve.least == {"PERSON": 0.7, "LOCATION": 0.6}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("deny: [{category: project, terms: [abc]}]", r":3: .*category: expected capitals"),
        ("deny: [{category: OPAQUE, terms: [abc]}]", "OPAQUE is an event"),
        ("deny: [{category: PROJECT_NAME}]", "neither terms nor forms"),
        ("deny: [{category: PROJECT_NAME, terms: ['a-']}]", "3 to 80 characters, found 1"),
        ("deny: [{category: PROJECT_NAME, terms: [7]}]", "expected text"),
        ("deny: [{category: PROJECT_NAME, files: [gone.txt]}]", "gone.txt cannot be read"),
        ("deny: [{category: NUMBER, forms: ['K <digit:6>']}]", "no white space"),
        ("deny: [{category: NUMBER, forms: ['<digit:1-2>']}]", "at least 3 characters"),
        ("deny: [{category: NUMBER, forms: ['KD<digit:6->']}]", "bounded length"),
        ("deny: [{category: NUMBER, forms: ['KD<digit:6-900>']}]", "bounded length"),
        ("deny: [{category: NUMBER, forms: ['<alnum:3-9>A<digit:3>']}]", "none of its alphabet"),
        ("deny: [{category: NUMBER, forms: ['<alnum:3-9><digit:3>']}]", "none of its alphabet"),
        ("deny: [{category: NUMBER, forms: ['KD<digits:6>']}]", "unknown alphabet 'digits'"),
        ("allow: [{categories: [PERSON]}]", "holds no values"),
        ("allow: [{values: [x], categories: ['group:x']}]", "no group 'x'"),
        ("thresholds: {PERSON: 7}", "PERSON: expected a number from 0 to 1"),
        ("denied: []", "unknown key 'denied'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(written(tmp_path, text + "\n"), members)


def test_a_term_is_never_quoted(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("fine\n" + "secret" * 20 + "\n")
    path = written(tmp_path, "deny: [{category: PROJECT_NAME, files: [terms.txt]}]\n")
    with pytest.raises(ConfigError, match=r"terms\.txt, line 2: ") as told:
        read(path, members)
    assert "secret" not in str(told.value)


def test_a_category_that_nothing_reports_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "thresholds: {PERSN: 0.7}\n")
    with pytest.raises(ConfigError, match=r"unknown category 'PERSN'\. Did you mean 'PERSON'"):
        read(path, members).check({"PERSON"}, path)


def test_the_page_s_example_holds(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (example,) = (block for block in blocks if "kind: Lists" in block)
    (tmp_path / "lists.yaml").write_text(example)
    (tmp_path / "projects.txt").write_text("Sonnenhang\n")
    found = read(tmp_path / "lists.yaml", members)
    assert [each.category for each in found.denied] == ["PROJECT_NAME", "CUSTOMER_NUMBER"]
    assert found.sieve.least == {"PERSON": 0.7, "US_SSN": 0.3}
    assert all(name in page for name in ALPHABETS)
