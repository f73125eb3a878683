"""What the commands say about assessors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.house import Gateway, value

CATALOGUE = """
apiVersion: gateway/v1
kind: Catalogue
backends: [{name: echo, kind: echo}, {name: own, kind: service, url: "http://127.0.0.1:1"}]
models: [{name: echo, backend: echo}]
"""
ASSESSORS = """
apiVersion: gateway/v1
kind: Assessors
assessors: [{name: far, kind: webhook, backend: own, options: {categories: [PUN]}}]
"""
POLICY = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec: {rules: [{id: pun, when: {categories: [PUN]}, then: block}]}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("catalogue", CATALOGUE), ("assessors", ASSESSORS), ("policy", POLICY)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(path))


def test_policy_check_knows_their_categories_and_for_whom_answers_are_held(
    gateway: Gateway, tmp_path: Path
) -> None:
    (policy,) = value(gateway("policy", "check", "--json"))["policies"]
    assert (policy["mode"], policy["held_for"]) == ("window", ["far"])
    assert "answers are held for far" in gateway("policy", "check").stdout
    path = tmp_path / "policy.yaml"
    path.write_text(path.read_text().replace("PUN", "PAN"))
    assert "unknown name 'PAN'" in gateway("policy", "check", code=2).output


def test_doctor_says_who_does_not_answer(gateway: Gateway, ready: Path) -> None:
    found = value(gateway("doctor", "--json", code=1))
    (check,) = [each for each in found["checks"] if each["name"] == "assessor"]
    assert (check["state"], "far does not judge: unreachable" in check["text"]) == ("fail", True)


def test_list_names_them_and_their_kinds(gateway: Gateway) -> None:
    found = value(gateway("list", "--json"))
    assert {"name": "far", "enabled": True, "categories": ["PUN"]} in found["detectors"]
    assert "llama_guard" in found["assessors"]
    assert "llama_guard" in gateway("list").stdout
