"""Lists from the setting to what is found: the roof's part."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import configured
from gateway.core.errors import ConfigError
from gateway.settings import Settings

HEAD = "apiVersion: gateway/v1\nkind: Lists\n"
DENY = "deny: [{category: PROJECT_NAME, terms: [Nordlicht]}]\n"


def settings(folder: Path, text: str) -> Settings:
    path = folder / "lists.yaml"
    path.write_text(HEAD + text)
    return Settings(lists=str(path), detectors="patterns,pii")


def test_lists_switch_their_detector_on(tmp_path: Path) -> None:
    assert "listed" in configured.enabled(settings(tmp_path, DENY))
    assert "listed" not in configured.enabled(Settings(detectors="pii"))


def test_policies_may_name_what_is_denied(tmp_path: Path) -> None:
    words = configured.vocabulary(settings(tmp_path, DENY))
    assert "PROJECT_NAME" in words.categories
    assert words.groups["listed"] == {"PROJECT_NAME"}
    assert "listed" not in configured.vocabulary(Settings()).groups


def test_groups_and_categories_must_be_known(tmp_path: Path) -> None:
    found = configured.sieve(settings(tmp_path, 'thresholds: {"group:name": 0.7}\n'))
    assert found.least == {"PERSON": 0.7}
    with pytest.raises(ConfigError, match="unknown category 'PERSN'"):
        configured.sieve(settings(tmp_path, "thresholds: {PERSN: 0.7}\n"))
