"""What every detector promises, run over all members."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector
from gateway.detectors import create, known

TEXTS = ["", "plain words", "Jane Doe, jane@example.org", "é 😀 4111 1111 1111 1111"]


MEMBERS = [
    "content",
    "hidden",
    "injection",
    "listed",
    "names",
    "names_spacy",
    "output",
    "patterns",
    "pii",
    "transformer",
]


@pytest.fixture(scope="module", params=MEMBERS)
def member(request: pytest.FixtureRequest) -> Detector:
    return request.getfixturevalue(request.param)


def test_the_members_are_those_tested_here() -> None:
    assert set(known()) - {"fake"} == set(MEMBERS)


def test_findings_lie_in_their_text_and_have_a_known_category(member: Detector) -> None:
    hints = sorted({t.hint for t in member.load() or ()})
    for text, found in zip(TEXTS, member.detect(TEXTS, [hints] * len(TEXTS)), strict=True):
        for finding in found:
            assert finding.detector == member.name
            assert finding.category in member.categories
            assert 0 <= finding.start < finding.end <= len(text)
            assert 0 < finding.score <= 1


def test_no_texts_give_no_findings(member: Detector) -> None:
    assert member.detect([], []) == []


def test_the_same_text_gives_the_same_findings(member: Detector) -> None:
    hints = sorted({t.hint for t in member.load() or ()})
    args: Any = (TEXTS, [hints] * len(TEXTS))
    assert member.detect(*args) == member.detect(*args)


def test_triggers_reach_no_further_than_streams_can_hold_back(member: Detector) -> None:
    for trigger in member.load() or ():
        assert 0 < trigger.reach_chars <= 80


@pytest.mark.parametrize("name", MEMBERS)
def test_an_unknown_option_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown option 'colour'"):
        create({name: {"colour": 1}})


def test_an_unknown_name_is_refused_with_those_known() -> None:
    with pytest.raises(
        ConfigError, match=r"Known: .*names, names_spacy, output, patterns, pii, transformer"
    ):
        create({"nothing-like-it": {}})


def test_a_second_member_of_one_name_is_refused(tmp_path, monkeypatch) -> None:
    info = tmp_path / "rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\n")
    (info / "entry_points.txt").write_text("[gateway.detectors]\npii = json\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="pii"):
        known()


def test_nothing_reaches_for_the_network() -> None:
    """In a process of its own, where making a socket is an error from the start."""
    code = """
import socket, sys
def refuse(*args, **kwargs):
    raise SystemExit("a socket was opened")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from gateway.detectors import create
for d in create({"content": {}, "pii": {}, "names": {}, "patterns": {}}):
    hints = sorted({t.hint for t in d.load() or ()})
    found = d.detect(["Ann Lee wrote to ann.lee@example.co.uk from +1 415 555 2671"], [hints])
    assert found[0] or d.name in ("patterns", "content"), d.name
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
