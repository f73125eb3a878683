"""A model from its first day on: terms, data that goes elsewhere, a rule tried and taken back.

Over HTTP and the command line, and at the end the whole story is read from the audit log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: far, kind: openai, url: "{url}", credential: env:E2E_CREDENTIAL, provider: local,
      classes: [confidential]}}
  - {{name: near, kind: openai, url: "{url}", credential: env:E2E_CREDENTIAL, provider: house,
      hosting: self_hosted, terms: none}}
models:
  - {{name: up-model, backend: far, upstream_model: up-echo-llama-3.1,
      terms: meta/llama-3.1-community}}
  - {{name: house-model, backend: near, upstream_model: up-echo-house}}
"""
FIRST = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: house, version: "1"}
spec:
  rules:
    - id: terms
      when: {categories: [TERMS], condition: 'note in ["draft", "not_accepted"]'}
      then: block
    - id: restricted
      when: {categories: [DATA_CLASS], data_classes: [restricted]}
      then: route
      with: {hosting: self_hosted}
    - id: mail
      when: {categories: [EMAIL_ADDRESS], directions: [request]}
      then: flag
"""
SECOND = FIRST.replace('version: "1"', 'version: "2"').replace("then: flag", "then: block")
TERMS = "meta/llama-3.1-community"
MAIL, CARD = "Write to anna.lind@example.org.", "Charge 4111 1111 1111 1111."


class Story:
    """A gateway, and the people who answer for it at its command line."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def __call__(self, *command: str, code: int = 0) -> dict[str, Any]:
        (found,) = self.rows(*command, code=code)
        return found

    def rows(self, *command: str, code: int = 0) -> list[dict[str, Any]]:
        """All that a command tells."""
        done = CliRunner().invoke(app, [*command, "--json"], env=self.gateway.environ)
        assert done.exit_code == code, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def becomes(self, status: int, text: str) -> dict[str, Any]:
        """The answer to this text, once it has this status: replicas learn within seconds."""
        found: list[Any] = []

        def there() -> bool:
            found[:] = [self.gateway.post("up-model", text)]
            return found[0].status_code == status

        until(there, within_s=30)
        return dict(found[0].json())


@pytest.fixture
def story(run_gateway: Run, tmp_path: Path) -> Iterator[Story]:
    (tmp_path / "house.yaml").write_text(FIRST)
    with run_gateway(catalogue=CATALOGUE, policy=str(tmp_path / "house")) as gateway:
        yield Story(gateway)


def test_a_model_is_let_in_and_a_rule_tried_and_taken_back(story: Story, upstream: Any) -> None:
    # Nobody has approved its terms; then nobody has accepted them.
    assert "draft" in story.becomes(403, "Hello.")["error"]["message"]
    story("terms", "approve", TERMS, "--by", "legal@example.org")
    until(lambda: "accepted" in story.gateway.post("up-model").text, within_s=30)
    assert upstream.of("up-echo-llama-3.1") == []
    story("terms", "accept", TERMS, "--tenant", "default", "--by", "legal@example.org")
    story.becomes(200, "Hello.")

    # What is restricted may not be seen there: it is answered in this house instead, and says so.
    rerouted = story.gateway.post("up-model", CARD)
    assert (rerouted.status_code, rerouted.json()["model"]) == (200, "up-echo-house")
    assert rerouted.headers["gw-decision"].startswith("route;")
    assert rerouted.headers["gw-asked-model"] == '"up-model"'
    assert not any(b"4111" in request.raw for request in upstream.of("up-echo-llama-3.1"))
    (there,) = upstream.of("up-echo-house")
    assert b"4111" in there.raw
    assert story.gateway.closed("house-model")["data"]["asked_model"] == "up-model"
    explained = story.gateway.ask(
        "GET",
        f"/v1/exchanges/{rerouted.headers['gw-request-id']}/explain",
        headers={"authorization": f"Bearer {story.gateway.key}"},
    ).json()
    assert (explained["model"], explained["asked_model"]) == ("house-model", "up-model")
    assert ("route", "restricted") in {(r["action"], r["rule"]) for r in explained["rules"]}

    # A new rule: first as a shadow, which changes nothing, then asked about what has passed.
    path = story.gateway.folder / "second.yaml"
    path.write_text(SECOND)
    digest = story("policy", "push", str(path), "--as", "anna")["digest"]
    story("policy", "stage", digest, "--as", "anna")

    def shadowed() -> bool:
        assert story.gateway.post("up-model", MAIL).status_code == 200
        return any("shadow" in e["data"] for e in story.gateway.entries())

    until(shadowed, within_s=30)
    replay = story("policy", "replay", digest, "--max-new-blocks", "1%", code=1)
    assert replay["newly_blocked"] > 0
    assert {(flip["flip"], flip["rule"]) for flip in replay["flips"]} == {
        ("newly_blocked", "house/mail")
    }

    # For some conversations, then for all; then it is taken back.
    story("policy", "stage", digest, "--percent", "10", "--margin", "100", "--as", "anna")
    asked = [story.gateway.post("up-model", f"{MAIL} {n}").status_code for n in range(40)]
    assert asked.count(200) > 20
    story("policy", "promote", "--to", "100", "--as", "bernd")
    story.becomes(400, MAIL)
    story("policy", "rollback", "--reason", "too strict", "--as", "bernd")
    story.becomes(200, MAIL)

    # The log tells all of it, in order, and holds.
    told = story.rows("audit", "ask", "changes")
    kinds = [row["kind"] for row in told]
    assert kinds[:2] == ["terms.approved", "terms.accepted"]
    acts = [json.loads(row["data"]) for row in told if row["kind"] == "policy.change"]
    assert [act["what"] for act in acts] == [
        "proposed", "staged", "staged", "promoted", "rolled_back"
    ]  # fmt: skip
    assert {act["digest"] for act in acts} == {digest}
    blocked = {row["rule"] for row in story.rows("audit", "ask", "blocked")}
    assert {"house/terms", "house/mail"} <= blocked
    terms = {row["terms"] for row in story.rows("audit", "ask", "terms")}
    assert any(str(each).startswith(f"{TERMS}@") for each in terms)
    (sent,) = story.gateway.entries(kind="exchange.closed", model="house-model")
    assert sent["data"]["detour"]["rules"] == ["house/restricted"]
    assert sent["data"]["detour"]["asked"]["model"] == "up-model"
    assert story("audit", "verify")["ok"]
