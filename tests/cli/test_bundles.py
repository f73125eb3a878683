"""`gateway policy push` and what follows: bundles in the database, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.house import Gateway, lines, value
from tests.lifecycle.house import policy


@pytest.fixture
def one(tmp_path: Path, ready: Path) -> Path:
    return write(tmp_path, "one")


def write(folder: Path, name: str, then: str = "block") -> Path:
    ((file, text),) = policy(name, then)
    path = folder / file
    path.write_text(text)
    return path


def test_a_policy_goes_into_force_and_back(gateway: Gateway, one: Path) -> None:
    digest = value(gateway("policy", "push", str(one), "--as", "anna", "--json"))["digest"]
    assert value(gateway("policy", "check", str(one), "--json"))["digest"] == digest
    assert value(gateway("policy", "status", "--json"))["in_force"]["source"] == "files"
    act = value(gateway("policy", "activate", digest[:8], "--reason", "now", "--json"))
    assert (act["what"], act["reason"]) == ("activated", "now")
    assert digest in gateway("policy", "status").stdout
    gateway("policy", "rollback")
    acts = lines(gateway("policy", "history", "--json"))
    assert [a["what"] for a in acts] == ["rolled_back", "activated", "proposed"]
    assert "anna" in gateway("policy", "history").stdout


def test_a_shadow_is_called_one(gateway: Gateway, one: Path) -> None:
    digest = value(gateway("policy", "push", str(one), "--json"))["digest"]
    assert "as a shadow" in " ".join(gateway("policy", "stage", digest[:12]).stdout.split())
    told = gateway("policy", "status").stdout
    assert f"Shadow: {digest[:12]}" in told
    assert "%" not in told
    assert "shadow" in gateway("policy", "history").stdout


def test_each_act_is_an_audit_entry(gateway: Gateway, one: Path) -> None:
    digest = value(gateway("policy", "push", str(one), "--as", "anna", "--json"))["digest"]
    gateway("policy", "stage", digest[:12], "--percent", "10", "--as", "bernd", "--reason", "try")
    gateway("policy", "promote", "--to", "40")
    told = [
        e["data"] for e in lines(gateway("audit", "query", "--json", "--kind", "policy.change"))
    ]
    assert sorted((t["act"], t["what"], t["percent"]) for t in told) == [
        (1, "proposed", 0), (2, "staged", 10), (3, "promoted", 40),
    ]  # fmt: skip
    (staged,) = [t for t in told if t["what"] == "staged"]
    assert (staged["who"], staged["reason"], staged["via"]) == ("bernd", "try", "cli")
    assert gateway("audit", "verify").exit_code == 0


def test_a_folder_is_one_bundle(gateway: Gateway, tmp_path: Path, ready: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for name in ("one", "two"):
        write(folder, name)
    pushed = value(gateway("policy", "push", str(folder), "--json"))
    assert pushed["policies"] == ["one@1", "two@1"]


def test_a_signed_file_is_pushed_elsewhere(gateway: Gateway, one: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.json"
    signed = value(gateway("policy", "sign", str(one), "--out", str(out), "--json"))
    assert gateway("policy", "sign", str(one)).stdout == out.read_text()
    assert value(gateway("policy", "status", "--json"))["bundles"] == []
    assert "--signed" in gateway("policy", "push", str(out), code=2).stderr
    pushed = value(gateway("policy", "push", "--signed", str(out), "--json"))
    assert pushed["digest"] == signed["digest"]
    out.write_text(out.read_text().replace("block", "allow"))
    assert "not what was signed" in gateway("policy", "push", "--signed", str(out), code=2).stderr


def test_with_four_eyes_another_person_approves(
    gateway: Gateway, one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_POLICY_FOUR_EYES", "true")
    digest = value(gateway("policy", "push", str(one), "--as", "anna", "--json"))["digest"]
    assert "approval" in gateway("policy", "activate", digest, code=2).stderr
    refused = gateway("policy", "approve", digest, "--as", "anna", code=2)
    assert "somebody else" in refused.stderr
    key = value(gateway("keys", "new", "Anna", "--json"))["id"]
    refused = gateway("policy", "approve", digest, "--as", f"key:{key}", code=2)
    assert "Keys of one name" in refused.stderr
    gateway("policy", "approve", digest, "--as", "bernd")
    gateway("policy", "activate", digest, "--as", "anna")
    (bundle,) = value(gateway("policy", "status", "--json"))["bundles"]
    assert (bundle["proposed_by"], bundle["approved_by"]) == ("anna", ["bernd"])


def test_what_does_not_compile_is_not_stored(gateway: Gateway, tmp_path: Path, one: Path) -> None:
    bad = write(tmp_path, "bad", "blok")
    assert "bad.yaml" in gateway("policy", "push", str(bad), code=2).stderr
    assert value(gateway("policy", "status", "--json"))["bundles"] == []
    assert "No bundle is stored" in gateway("policy", "status").stdout
