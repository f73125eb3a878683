"""Terms of use over HTTP, from a model that nobody has approved to a new revision."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from gateway.settings import shipped
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until

LLAMA = "meta/llama-4-community"
CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: up, kind: openai, url: "{url}", credential: env:E2E_CREDENTIAL, provider: local}}
  - {{name: echo, kind: echo, provider: local}}
models:
  - {{name: llama-4-echo, backend: echo, terms: meta/llama-4-community}}
  - {{name: up-llama-4, backend: up, upstream_model: up-echo-4, terms: meta/llama-4-community}}
  - {{name: up-unknown, backend: up, upstream_model: up-echo-unknown}}
  - {{name: up-ours, backend: up, upstream_model: up-echo-ours, terms: none}}
"""
# Images are let through, so that it is the terms that stop them.
POLICY = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: keep-to-terms, version: "1"}
spec:
  rules:
    - id: pending
      when: {categories: [TERMS], condition: 'note.endsWith("_pending")'}
      then: allow
    - id: terms
      when: {categories: [TERMS]}
      then: block
"""
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501
IMAGE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": PIXEL}},
]


class Desk:
    """A gateway with profiles of its own, and the commands of who answers for terms."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.keys = {"acme": gateway.key}
        who = KeyTable(gateway.engine, SystemClock())
        for tenant in ("acme", "other"):
            _, self.keys[tenant] = who.new(tenant, tenant=tenant)

    def terms(self, *arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["terms", *arguments, "--json"], env=self.gateway.environ)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if not code else done.stderr

    def ask(
        self,
        model: str = "up-llama-4",
        content: Any = "Hello.",
        tenant: str = "acme",
        path: str = "",
    ) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 9}
        headers = {"authorization": f"Bearer {self.keys[tenant]}"}
        return self.gateway.ask("POST", path or "/v1/chat/completions", headers=headers, json=body)

    def becomes(self, status: int, *words: str, **about: Any) -> httpx.Response:
        """What is answered once it has this status and these words."""
        found: list[httpx.Response] = []

        def there() -> bool:
            found[:] = [self.ask(**about)]
            told = found[0].text + str(found[0].headers)
            return found[0].status_code == status and all(word in told for word in words)

        until(there, within_s=30)
        return found[0]

    def entry(self, answer: httpx.Response) -> dict[str, Any]:
        id_ = answer.headers["gw-request-id"]
        found: list[dict[str, Any]] = []

        def closed() -> bool:
            found[:] = [e for e in self.gateway.entries() if e["exchange_id"] == id_]
            return len(found) == 2

        until(closed)
        return {e["kind"]: e["data"] for e in found}


@pytest.fixture(scope="module")
def desk(run_gateway: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("terms")
    shutil.copy(shipped("policies") / "terms" / "meta-llama-4-community.yaml", folder)
    policy = folder.parent / "keep-to-terms.yaml"
    policy.write_text(POLICY)
    with run_gateway(
        catalogue=CATALOGUE, terms=str(folder), policy=str(policy.with_suffix(""))
    ) as gateway:
        yield Desk(gateway)


def test_from_a_draft_to_a_new_revision(desk: Desk, upstream: Any) -> None:
    before = len(upstream.requests)
    # Unknown, and a draft.
    refused = desk.ask("up-unknown")
    assert refused.status_code == 403
    assert "Nobody has said under which terms" in refused.json()["error"]["message"]
    assert "are a draft" in desk.ask().json()["error"]["message"]
    assert desk.ask("up-ours").status_code == 200
    assert len(upstream.requests) == before + 1

    # Refused until accepted, in the caller's own API.
    assert "approve it first" in desk.terms("accept", LLAMA, "--by", "l", code=2)
    desk.terms("approve", LLAMA, "--by", "legal@example.org")
    refused = desk.becomes(403, "have to be accepted")
    words = refused.json()["error"]["message"]
    for word in ("Llama 4 Community License Agreement", "2025-04-05.r1", "gateway terms accept"):
        assert word in words
    other_api = desk.ask("llama-4-echo", path="/v1/messages")
    assert (other_api.status_code, other_api.json()["type"]) == (403, "error")
    assert words in other_api.json()["error"]["message"]
    assert len(upstream.requests) == before + 1

    # One tenant accepts; the other one has not. What must be attested has its time of grace.
    accepted = desk.terms("accept", LLAMA, "--tenant", "acme", "--by", "legal@example.org")
    answer = desk.becomes(200)
    assert "terms/meta/llama-4-community/built-with" in answer.headers["gw-warning"]
    assert answer.headers["gw-notice"] == '%"Built with Llama"'
    assert desk.ask(tenant="other").status_code == 403

    # On record: profile, revision, acceptance, in both entries.
    for data in desk.entry(answer).values():
        (terms,) = data["terms"]
        assert (terms["profile"], terms["rev"]) == (LLAMA, "2025-04-05.r1")
        assert terms["acceptance"] == accepted["id"]
    assert terms["states"] == [
        {"state": "attestation_pending", "clause": "built-with"},
        {"state": "attestation_pending", "clause": "users-cap"},
    ]

    # A licensee in the EU: no images, but texts.
    for fact in ("licensee_region=DE", "users_below_700_million"):
        desk.terms("attest", fact, "--tenant", "acme", "--by", "l")
    refused = desk.becomes(403, "multimodal-eu", content=IMAGE)
    assert "clause multimodal-eu (Acceptable Use Policy" in refused.json()["error"]["message"]
    assert desk.entry(refused)["exchange.closed"]["terms"][0]["states"][0] == {
        "state": "region_excluded", "clause": "multimodal-eu"
    }  # fmt: skip
    assert desk.ask().status_code == 200

    # The notice is missing: a warning, then a stop once the time of grace is over.
    long_ago = "UPDATE terms_approval SET approved_ms = approved_ms - 100 * 86400000"
    with closing(sqlite3.connect(desk.gateway.engine.url.database)) as connection, connection:
        connection.execute(long_ago)
    refused = desk.becomes(403, "built-with")
    assert "ui_shows_built_with_llama" in refused.json()["error"]["message"]
    attested = desk.terms("attest", "ui_shows_built_with_llama", "--tenant", "acme", "--by", "l")
    assert "gw-warning" not in desk.becomes(200).headers

    # A new revision: a draft changes nothing; approved, it has its time of grace.
    (file,) = Path(desk.gateway.environ["GATEWAY_TERMS"]).glob("*.yaml")
    text = file.read_text()
    file.write_text(text.replace("2025-04-05.r1", "2025-04-05.r2"))
    assert desk.terms("show", LLAMA)["newer"] == "2025-04-05.r2"
    desk.terms("approve", LLAMA, "--by", "legal@example.org")
    answer = desk.becomes(200, "gw-warning")
    assert "have to be accepted by" in answer.headers["gw-warning"]

    # Withdrawn: stopped again.
    desk.terms("withdraw", accepted["id"], "--by", "l")
    assert "was withdrawn" in desk.becomes(403).json()["error"]["message"]

    # Every act is on record, without the names of people.
    entries = [e for e in desk.gateway.entries() if e["kind"].startswith("terms.")]
    kinds = [e["kind"].removeprefix("terms.") for e in entries]
    assert kinds == [
        "approved", "accepted", "attested", "attested", "attested", "approved", "withdrawn"
    ]  # fmt: skip
    assert attested["id"] in [e["data"]["id"] for e in entries]
    assert "legal@example.org" not in json.dumps(entries)


def test_notices_of_a_model_are_told_to_who_has_a_key(desk: Desk) -> None:
    path = "/v1/models/up-llama-4/notices"
    assert desk.gateway.ask("GET", path).status_code == 401
    headers = {"authorization": f"Bearer {desk.keys['acme']}"}
    told = desk.gateway.ask("GET", path, headers=headers).json()
    assert [(n["where"], n["text"][:16]) for n in told["notices"]] == [
        ("ui", "Built with Llama"), ("distribution", "Llama 4 is licen")
    ]  # fmt: skip
    assert told["terms"][0]["url"] == "https://www.llama.com/llama4/license/"
    assert (
        desk.gateway.ask("GET", "/v1/models/up-ours/notices", headers=headers).json()["notices"]
        == []
    )
    assert desk.gateway.ask("GET", "/v1/models/none/notices", headers=headers).status_code == 404
