from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.core.message import Direction, Kind
from gateway.core.ports import Band
from gateway.detectors._assessors import Configured, read, unsure
from gateway.detectors._assessors._asking import KINDS

HEAD = "apiVersion: gateway/v1\nkind: Assessors\nassessors:\n"
GUARD = "- {name: guard, kind: llama_guard, model: lg"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "assessors.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def one(tmp_path: Path, text: str) -> Configured:
    (found,) = read(written(tmp_path, text))
    return found


def test_the_least_there_is_to_say(tmp_path: Path) -> None:
    found = one(tmp_path, GUARD + "}")
    assert (found.name, found.place, found.tier, found.unsure) == ("guard", "lg", 1, ())
    assert found.directions == set(Direction)
    assert found.kinds == KINDS
    assert found.method.of_model


def test_all_there_is_to_say(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        """
- name: hook
  kind: webhook
  backend: mine
  tier: 3
  unsure:
    - {scores: [0.1, 0.3], detectors: [content], categories: [HATE]}
    - {scores: [0.2, 0.8]}
  directions: [request]
  kinds: [text]
  roles: [user]
  deadline_s: 2.5
  at_once: 4
  min_score: 0.7
  options: {categories: [PUN]}
""",
    )
    assert found.unsure == (
        Band(0.1, 0.3, frozenset({"content"}), frozenset({"HATE"})),
        Band(0.2, 0.8),
    )
    assert (found.tier, found.deadline_s, found.at_once, found.min_score) == (3, 2.5, 4, 0.7)
    assert (found.kinds, found.roles) == ({Kind.TEXT}, {"user"})
    assert found.method.categories == {"PUN"}


def test_two_scores_are_a_band(tmp_path: Path) -> None:
    found = one(tmp_path, GUARD + ", unsure: [0.2, 0.8]}")
    assert found.unsure == (Band(0.2, 0.8),)
    assert unsure([found], ["content", "names"]) == {"content": 0.2, "names": 0.2}


def test_whatever_changes_makes_another_configuration(tmp_path: Path) -> None:
    texts = ["}", ", tier: 2}", ", options: {version: '4'}}", ", min_score: 0.6}"]
    assert len({one(tmp_path, GUARD + text).config for text in texts}) == len(texts)


WRONG = [
    ("- {name: guard, kind: llama_guard}", r":4: assessor 'guard': llama_guard needs 'model'"),
    (GUARD + ", backend: b}", "needs 'model'"),
    ("- {name: p, kind: presidio, model: m}", "needs 'backend'"),
    (GUARD + ", kind: oracle}", "given twice"),
    ("- {name: g, kind: oracle, model: m}", "unknown name 'oracle'"),
    ("- {name: pii, kind: llama_guard, model: m}", "the name 'pii' is taken"),
    (f"{GUARD}}}\n{GUARD}}}", "the name 'guard' is taken"),
    (GUARD + ", tear: 1}", "unknown key 'tear'"),
    (GUARD + ", unsure: [0.8, 0.2]}", "the lower one first"),
    (GUARD + ", unsure: [0.8]}", "the lower one first"),
    (GUARD + ", unsure: 3}", "expected a list"),
    (GUARD + ", unsure: [{detectors: [a]}]}", "'scores' is missing"),
    (GUARD + ", deadline_s: 0}", "more than 0"),
    (GUARD + ", at_once: 0}", "1 to 256"),
    (GUARD + ", min_score: 2}", "from 0 to 1"),
    (GUARD + ", kinds: [song]}", "unknown name 'song'"),
    (GUARD + ", name: Guard}", "given twice"),
    ("- {name: Guard, kind: llama_guard, model: m}", "small letters"),
    (GUARD + ", options: {credential: x}}", "unknown key 'credential'"),
]


@pytest.mark.parametrize(("text", "error"), WRONG)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        read(written(tmp_path, text), taken=["pii"])
