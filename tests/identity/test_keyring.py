from __future__ import annotations

import threading

import pytest

from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring


def test_keyring_is_made_once_and_read_again(tmp_path):
    path = tmp_path / "keyring.json"
    made = Keyring.open(path)
    assert Keyring.open(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_many_makers_agree_on_one(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(Keyring.open(tmp_path / "keyring.json")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({ring.audit_key for ring in found}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_file_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "keyring.json"
    Keyring.open(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.open(path)


def test_missing_file_is_not_made_unless_asked(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Keyring.open(tmp_path / "keyring.json", create=False)
    with pytest.raises(ConfigError, match="cannot be made"):
        Keyring.open(tmp_path / "nowhere" / "keyring.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"v": 2}',
        '{"v": 1, "audit": "c2VjcmV0", "tenant_root": "c2VjcmV0"}',
        '{"v": 1, "audit": "sec*ret", "tenant_root": 5}',
        '{"v": 1, "audit": "secret',
    ],
)
def test_damaged_text_is_refused_and_not_repeated(text):
    with pytest.raises(ConfigError) as caught:
        Keyring.parse(text, source="GATEWAY_KEYRING_JSON")
    assert "c2V" not in str(caught.value)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith("GATEWAY_KEYRING_JSON")


def test_text_can_be_carried_elsewhere():
    ring = Keyring.fresh()
    assert Keyring.parse(ring.text()) == ring


def test_each_tenant_has_a_key_of_its_own():
    ring = Keyring.fresh()
    keys = {ring.tenant_key("a"), ring.tenant_key("b"), ring.audit_key, ring.tenant_root}
    assert len(keys) == 4
    assert ring.tenant_key("a") == Keyring.parse(ring.text()).tenant_key("a")
    assert len(ring.tenant_key("ü")) == 32


def test_nothing_secret_is_in_the_repr():
    assert repr(Keyring.fresh()) == "Keyring()"
