"""A request that needs a person, through the real gateway: held, decided, on record, gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from gateway.cli import app
from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream

POLICY = """
---
apiVersion: gateway/v1
kind: Policy
metadata: {name: letters, version: "1"}
spec:
  match: {models: ["up-echo-seen*", "up-echo-wait*"]}
  rules:
    - id: see-first
      when: {categories: [REQUEST], directions: [request], models: ["up-echo-seen*"]}
      then: require_review
      with: {wait_s: 0}
    - id: wait-for-it
      when: {categories: [REQUEST], directions: [request], models: ["up-echo-wait*"]}
      then: require_review
      with: {wait_s: 60}
    - id: no-keys
      when: {categories: ["group:secret"], directions: [request]}
      then: block
"""
SAID = "The heron stands in the reeds."
KEY = "AK" + "IAQ3EGUZHLWQRT2B7C"


@pytest.fixture(scope="module")
def reviewed(run_gateway: Run) -> Iterator[Gateway]:
    with run_gateway() as gateway:
        gateway.policy.write_text(gateway.policy.read_text() + POLICY)
        until(lambda: "policy reloaded" in gateway.log, within_s=30)
        _, key = KeyTable(gateway.engine, SystemClock()).new("rita", roles=("reviewer",))
        gateway.environ["GATEWAY_REVIEWER_KEY"] = key
        yield gateway


def reviews(gateway: Gateway, *arguments: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["reviews", *arguments, "--json"], env=gateway.environ)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask(gateway: Gateway, model: str, text: str = SAID) -> str:
    with gateway.sdk() as client:
        said = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}]
        )
    return said.choices[0].message.content or ""


def held(gateway: Gateway, model: str, text: str = SAID) -> openai.PermissionDeniedError:
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(gateway, model, text)
    return caught.value


def own(gateway: Gateway, review: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {gateway.key}"}
    answer = gateway.ask("GET", f"/v1/reviews/{review}", headers=headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def written(gateway: Gateway) -> bytes:
    """All that the database has in its files."""
    path = Path(make_url(gateway.database_url).database or "")
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


def test_held_approved_at_the_command_line_and_sent_again(
    reviewed: Gateway, upstream: Upstream
) -> None:
    model = "up-echo-seen-approved"
    error = held(reviewed, model)
    assert error.code == "review_required"
    (info,) = reviews(reviewed, "list")
    assert info["id"] in error.response.headers["gw-review"]
    assert error.response.headers["gw-decision"].startswith("require_review;")
    assert own(reviewed, info["id"])["state"] == "waiting"
    (shown,) = reviews(reviewed, "show", info["id"])
    assert shown["request"]["texts"][0]["text"] == SAID
    assert upstream.of(model) == []
    reviews(reviewed, "approve", info["id"])
    assert own(reviewed, info["id"])["state"] == "approved"
    assert ask(reviewed, model) == SAID
    assert len(upstream.of(model)) == 1
    assert held(reviewed, model).code == "review_required"
    ends = reviewed.ends(model, 3)
    assert [end["data"].get("review", {}).get("state") for end in ends] == [
        "waiting", "approved", "waiting",
    ]  # fmt: skip
    kinds = [e["kind"] for e in reviewed.entries(model=model) if e["kind"].startswith("review.")]
    assert kinds == ["review.opened", "review.read", "review.approved", "review.opened"]
    assert b"heron" not in written(reviewed)
    assert "heron" not in reviewed.log


def test_decided_over_http_while_it_waits(reviewed: Gateway, upstream: Upstream) -> None:
    model = "up-echo-wait-edited"
    bearer = {"authorization": f"Bearer {reviewed.environ['GATEWAY_REVIEWER_KEY']}"}
    url = f"{reviewed.admin_url}/admin/v1/reviews"

    def waiting() -> list[dict[str, Any]]:
        found = reviewed.ask("GET", url, headers=bearer).json()["reviews"]
        return [info for info in found if info["model"] == model]

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(ask, reviewed, model)
        until(lambda: bool(waiting()))
        (info,) = waiting()
        said = {"texts": {"/messages/0/content": "The heron has left."}}
        answer = reviewed.ask("POST", f"{url}/{info['id']}/edit", json=said, headers=bearer)
        assert answer.status_code == 200
        assert asking.result(20) == "The heron has left."
    (request,) = upstream.of(model)
    assert SAID not in request.body.decode()
    assert 'reviews_total{decision="edited"} 1' in reviewed.metrics()


def test_an_edit_into_something_that_blocks_is_blocked(
    reviewed: Gateway, upstream: Upstream, tmp_path: Path
) -> None:
    model = "up-echo-seen-worse"
    held(reviewed, model)
    (info,) = [each for each in reviews(reviewed, "list") if each["model"] == model]
    path = tmp_path / "worse.txt"
    path.write_text(f"The key is {KEY} for now.")
    reviews(reviewed, "edit", info["id"], "--text", f"/messages/0/content={path}")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(reviewed, model)
    assert caught.value.code == "policy_violation"
    assert upstream.of(model) == []


def test_a_gateway_that_ends_tells_those_that_wait(run_gateway: Run) -> None:
    with run_gateway() as gateway:
        gateway.policy.write_text(gateway.policy.read_text() + POLICY)
        until(lambda: "policy reloaded" in gateway.log, within_s=30)
        with ThreadPoolExecutor() as pool:
            asking = pool.submit(held, gateway, "up-echo-wait-end")
            until(lambda: "gateway_reviews_waiting 1" in gateway.metrics())
            began = time.monotonic()
            gateway.stop()
            assert asking.result(30).code == "review_required"
            assert time.monotonic() - began < 15
        assert gateway.verify()[0] == 0
