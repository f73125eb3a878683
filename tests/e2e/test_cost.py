"""What use has cost, from a client's call to the question: by the real gateway and its commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: up, kind: openai, url: "{url}", retries: 0}}
  - {{name: counted, kind: openai, url: "{url}", count_streams: true}}
models:
  - {{name: plain-echo, backend: up}}
  - name: dear-echo
    backend: up
    price: {{currency: EUR, input: "2", output: "8.000001", since: 2020-01-01}}
  - {{name: streamed-echo, backend: counted, price: {{currency: EUR, input: "1", output: "1"}}}}
  - name: dear-status-503
    backend: up
    price: {{currency: EUR, input: "900", output: "900"}}
    fallbacks: [cheap-echo]
  - {{name: cheap-echo, backend: up, price: {{currency: USD, input: "0.01", output: "0"}}}}
"""


@pytest.fixture(scope="module")
def gateway(run_gateway: Run) -> Iterator[Gateway]:
    with run_gateway(catalogue=CATALOGUE) as running:
        yield running


def cost(gateway: Gateway) -> dict[tuple[str, str], dict[str, Any]]:
    """What `gateway audit ask cost` says, by model and currency."""
    done = CliRunner().invoke(app, ["audit", "ask", "cost", "--json"], env=gateway.environ)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {(row["model"], row["currency"]): row for row in rows if "model" in row}


def test_what_was_used_is_told_in_money(gateway: Gateway) -> None:
    said: Any = [{"role": "user", "content": "Hello."}]
    for model in ("plain-echo", "dear-echo", "dear-status-503"):
        assert gateway.post(model).status_code == 200
    with gateway.sdk() as client:
        for options in ({"include_usage": True}, {"include_usage": False}):
            stream: Any = client.chat.completions.create(
                model="dear-echo",
                messages=said,
                stream=True,
                stream_options=options,  # type: ignore[call-overload]
            )
            assert list(stream)
    whole, *streams = gateway.ends("dear-echo", 3)
    once = 3 * 2_000 + 5 * 8_000  # and 5 trillionths, which are rounded away
    assert [each["data"].get("cost", {}).get("nanos") for each in (whole, *streams)] == [
        once, once, None,
    ]  # fmt: skip
    gateway.ends("plain-echo")
    (instead,) = gateway.ends("cheap-echo")
    assert instead["data"]["asked_model"] == "dear-status-503"
    found = cost(gateway)
    assert found["dear-echo", "EUR"]["cost"] == "0.000092000"
    assert (found["dear-echo", ""]["untold"], found["plain-echo", ""]["unpriced"]) == (1, 1)
    assert found["cheap-echo", "USD"]["cost"] == "0.000000030"
    assert not [key for key in found if key[0] == "dear-status-503"]
    assert gateway.verify()[0] == 0


def test_a_stream_is_counted_that_nobody_asked_to(gateway: Gateway) -> None:
    said: Any = [{"role": "user", "content": "Hello."}]
    with gateway.sdk() as client:
        chunks = list(
            client.chat.completions.create(model="streamed-echo", messages=said, stream=True)
        )
    assert all(chunk.choices and not chunk.usage for chunk in chunks)
    assert gateway.closed("streamed-echo")["data"]["cost"]["nanos"] == 8 * 1_000


def test_programs_ask_the_same(gateway: Gateway) -> None:
    gateway.post("plain-echo")
    url = f"{gateway.admin_url}/admin/v1/audit/questions/cost"
    told = gateway.ask("GET", url, headers={"authorization": f"Bearer {gateway.key}"}).json()
    unknown = [row for row in told["rows"] if row["model"] == "plain-echo"]
    assert [(row["currency"], row["cost"]) for row in unknown] == [("", None)]
