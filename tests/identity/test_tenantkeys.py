"""Where tenants' keys for payloads come from, and what is wrong with a source, without its keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring
from gateway.identity.tenantkeys import open_keys

RING = Keyring(b"a" * 32, b"t" * 32)
FIRST, SECOND = base64.b64encode(b"1" * 32).decode(), base64.b64encode(b"2" * 32).decode()
TEXT = json.dumps({"v": 1, "newest": "2026", "keys": {"2025": FIRST, "2026": SECOND}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "payload-keys.json"
    file.write_text(TEXT)
    file.chmod(0o600)
    return file


def test_a_tenants_key_is_the_same_always_and_no_others() -> None:
    keys = open_keys("keyring", RING)
    assert keys.key("acme", keys.newest) == open_keys("keyring", RING).key("acme", keys.newest)
    assert keys.key("acme", keys.newest) != keys.key("other", keys.newest)
    assert len(keys.key("acme", keys.newest)) == 32
    assert keys.key("acme", keys.newest) != RING.tenant_key("acme")


def test_file_and_environment_hold_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEYS", TEXT)
    file, variable = open_keys(f"file:{path}", RING), open_keys("env:PAYLOAD_KEYS", RING)
    assert file.newest == variable.newest == "2026"
    for version in ("2025", "2026"):
        assert file.key("acme", version) == variable.key("acme", version)
    assert file.key("acme", "2025") != file.key("acme", "2026")


def test_a_version_that_is_gone_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'2024'.*has 2025, 2026"):
        open_keys(f"file:{path}", RING).key("acme", "2024")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"v": 2}', '{"v": 1, "newest": "a", "keys": {}}',
        f'{{"v": 1, "newest": "a", "keys": {{"b": "{FIRST}"}}}}',
        f'{{"v": 1, "newest": "a", "keys": {{"a": "{FIRST[:-8]}"}}}}',
        '{"v": 1, "newest": "a", "keys": {"a": 7}}',
    ],
)  # fmt: skip
def test_a_damaged_source_is_named_and_not_quoted(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"payload-keys\.json: expected") as caught:
        open_keys(f"file:{path}", RING)
    assert FIRST[:10] not in str(caught.value)


def test_keys_that_others_may_read_are_refused(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        open_keys(f"file:{path}", RING)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("vault:x", "no source 'vault'.*keyring, file:PATH, env:VARIABLE"),
        ("env:NOT_THERE_AT_ALL", "not set"),
        ("file:/not/there", "cannot be read"),
    ],
)
def test_a_source_that_is_not_there_is_told(said: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_keys(said, RING)
