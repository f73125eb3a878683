"""Families are found in their folder and through entry points."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway.core import family
from gateway.core.errors import ConfigError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "a_family"
    folder.mkdir()
    for name in ("__init__", "one", "two", "_shared"):
        (folder / f"{name}.py").write_text('"""Empty."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    yield "a_family"
    for name in [n for n in sys.modules if n.split(".")[0] == "a_family"]:
        del sys.modules[name]


def offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = EntryPoint(name, value, "a.group")
    monkeypatch.setattr(family, "entry_points", lambda group: [point])


def test_public_modules_are_members(package: str) -> None:
    assert list(family.discover(package, "a.group")) == ["one", "two"]


def test_an_installed_package_joins(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "three", "a_family._shared")
    assert list(family.discover(package, "a.group")) == ["one", "three", "two"]


def test_a_name_given_twice_is_refused(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "two", "elsewhere.two")
    with pytest.raises(ConfigError, match=r"'two' is already a_family\.two"):
        family.discover(package, "a.group")


def test_a_member_that_is_not_there_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "three", "elsewhere.three")
    with pytest.raises(ConfigError, match=r"'three' cannot be imported from 'elsewhere\.three'"):
        family.discover(package, "a.group")
