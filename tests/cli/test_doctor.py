"""What `gateway doctor` notices, and the cure it names."""

import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.chain import Head
from gateway.audit.spool import Spool
from tests.cli.house import Gateway, value


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two free ports, set as the gateway's."""
    create = partial(socket.create_server, ("127.0.0.1", 0))
    with create() as one, create() as two:
        found = [one.getsockname()[1], two.getsockname()[1]]
    monkeypatch.setenv("GATEWAY_PORT", str(found[0]))
    monkeypatch.setenv("GATEWAY_ADMIN_PORT", str(found[1]))
    return found


def diagnose(gateway: Gateway, *, code: int = 0) -> dict[str, Any]:
    found = value(gateway("doctor", "--json", code=code))
    assert found["ok"] is (code == 0)
    return {check["name"]: check for check in found["checks"]}


def test_nothing_set_up_is_no_failure(gateway: Gateway, data: Path) -> None:
    found = diagnose(gateway)
    for name in ("data", "keyring", "database"):
        assert (found[name]["state"], found[name]["mend"]) == ("warn", "gateway serve --quickstart")
    assert not data.exists()


def test_all_well(gateway: Gateway, ready: Path) -> None:
    gateway("keys", "new", "bot")
    found = diagnose(gateway)
    for name in ("data", "keyring", "database", "keys", "catalogue", "policy", "port"):
        assert found[name]["state"] == "ok", found[name]
    assert found["detectors"]["state"] == "warn"  # pii is switched off here
    assert found["credential"]["state"] == "warn"
    assert "Fit to serve." in gateway("doctor").stdout


def test_open_folders_and_keys_are_noticed(gateway: Gateway, ready: Path) -> None:
    ready.chmod(0o755)
    (ready / "keyring.json").chmod(0o644)
    found = diagnose(gateway, code=1)
    assert found["data"]["mend"] == f"chmod 700 {ready}"
    assert found["keyring"]["mend"] == f"chmod 600 {ready}/keyring.json"
    assert found["keys"]["mend"] == "gateway keys new NAME"


def test_bad_files_are_noticed_all_at_once(
    gateway: Gateway, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CATALOGUE", "POLICY"):
        (tmp_path / name).write_text("nonsense: true\n")
        monkeypatch.setenv(f"GATEWAY_{name}", str(tmp_path / name))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/none")
    found = diagnose(gateway, code=1)
    for name in ("catalogue", "policy", "database"):
        assert found[name]["state"] == "fail"
        assert found[name]["mend"]
    assert "hunter2" not in str(found)


def test_unknown_detector_and_setting(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DETECTORS", "secrest")
    assert "patterns" in diagnose(gateway, code=1)["detectors"]["text"]
    monkeypatch.setenv("GATEWAY_PROT", "1")
    assert diagnose(gateway, code=1)["settings"]["state"] == "fail"


def test_held_port_is_noticed(gateway: Gateway, ready: Path, ports: list[int]) -> None:
    with socket.create_server(("127.0.0.1", ports[0])) as held:
        held.settimeout(0)
        found = diagnose(gateway, code=1)
    assert "another program" in found["port"]["text"]
    assert "GATEWAY_PORT" in found["port"]["mend"]


def test_entries_that_wait_in_the_spool_are_noticed(gateway: Gateway, ready: Path) -> None:
    spool = Spool(ready / "spool", b"key", max_bytes=1000)
    spool.begin(Head("r1", 7, 1, 0, bytes(32), 7))
    found = diagnose(gateway)["spool"]
    assert found["state"] == "warn"
    assert "0 audit entries of r1: its gateway waits" in found["text"]
    spool.clear()
    assert "spool" not in diagnose(gateway)


def test_models_that_their_terms_are_not_for_are_noticed(
    gateway: Gateway, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: here, kind: echo, provider: us}
models:
  - {name: gpt2, backend: here, terms: openai/gpt-2}
  - {name: ours, backend: here, terms: openai/gpt-2}
  - {name: ours-2, backend: here, upstream_model: gpt2-xl, terms: openai/gpt-2}
  - {name: "o*", backend: here, terms: openai/gpt-2}
"""
    )
    monkeypatch.setenv("GATEWAY_CATALOGUE", str(path))
    found = diagnose(gateway)["terms"]
    assert found["state"] == "warn"
    assert found["text"] == "ours of us is not what openai/gpt-2 is for: see its applies_to."


def test_a_catalogue_that_claims_better_of_data_than_terms_is_noticed(
    gateway: Gateway, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: free, kind: echo, provider: google, tier: free}
  - {name: paid, kind: echo, provider: google, tier: paid}
models:
  - {name: a, backend: free, terms: google/gemini-api-terms, classes: [internal], trains: false}
  - {name: b, backend: free, terms: google/gemini-api-terms}
  - {name: c, backend: paid, terms: google/gemini-api-terms, trains: false}
"""
    )
    monkeypatch.setenv("GATEWAY_CATALOGUE", str(path))
    checks = value(gateway("doctor", "--json"))["checks"]
    told = [check["text"] for check in checks if check["name"] == "terms"]
    a, b = told
    assert a.startswith("a: the terms of google/gemini-api-terms have models trained on what is")
    assert "in the tier 'free', and the catalogue says it is not." in a
    assert b.startswith("b may see confidential data, and by the terms of google/gemini-api-terms")
    doubts = value(gateway("policy", "check", "--json"))["doubts"]
    assert [doubt["message"] for doubt in doubts if doubt["where"] == "terms"] == told
