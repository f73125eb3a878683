"""An upstream that fails: asked again, left alone, replaced; by the real gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.canaries import BY_NAME
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: frail, kind: openai, url: "{url}", retries: 1, circuit: {{failures: 3, open_s: 600}}}}
  - {{name: sturdy, kind: openai, url: "{url}", provider: Sturdy, circuit: {{failures: 0}}}}
  - {{name: nobody, kind: openai, url: "http://127.0.0.1:1/v1", retries: 0}}
models:
  - {{name: frail-status-503-a, backend: sturdy, fallbacks: [spare-echo-a]}}
  - {{name: frail-status-503-b, backend: frail}}
  - {{name: nobody-home, backend: nobody, fallbacks: [nobody-else, spare-echo-b]}}
  - {{name: nobody-else, backend: nobody, fallbacks: [nobody-home]}}
  - {{name: "spare-*", backend: sturdy}}
"""


@pytest.fixture(scope="module")
def gateway(run_gateway: Run) -> Iterator[Gateway]:
    with run_gateway(catalogue=CATALOGUE) as running:
        yield running


def test_another_model_answers_and_says_so(gateway: Gateway, upstream: Upstream) -> None:
    answer = gateway.post("frail-status-503-a", f"Hello {BY_NAME['email'].value}.")
    assert (answer.status_code, answer.headers["gw-model"]) == (200, '"spare-echo-a"')
    assert 'provider="Sturdy"' in answer.headers["ai-disclosure"]
    assert BY_NAME["email"].value in answer.text
    assert len(upstream.of("frail-status-503-a")) == 2
    (closed,) = gateway.ends("spare-echo-a")
    told = [(a["model"], a["status"], len(a["digest"])) for a in closed["data"]["attempts"]]
    first = ("frail-status-503-a", 503, 64)
    assert told == [first, first, ("spare-echo-a", 200, 64)]
    assert gateway.verify()[0] == 0


def test_streams_come_from_elsewhere_too(gateway: Gateway) -> None:
    said = [{"role": "user", "content": "Hello."}]
    with gateway.sdk() as client:
        stream = client.chat.completions.create(model="nobody-home", messages=said, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
    assert "Hello." in text


def test_two_models_that_name_each_other_are_asked_once_each(gateway: Gateway) -> None:
    assert gateway.post("nobody-else").status_code == 502
    attempts = gateway.closed("nobody-else")["data"]["attempts"]
    assert [attempt["model"] for attempt in attempts] == ["nobody-else", "nobody-home"]


def test_an_upstream_that_goes_on_failing_is_left_alone(
    gateway: Gateway, upstream: Upstream
) -> None:
    model = "frail-status-503-b"
    statuses = [gateway.post(model).status_code for _ in range(4)]
    assert (statuses, len(upstream.of(model))) == ([503] * 4, 3)
    last = gateway.post(model)
    assert last.json()["error"]["code"] == "upstream_unavailable"
    assert 0 < int(last.headers["retry-after"]) <= 600
    status, ready = gateway.readyz()
    assert (status, list(ready["warnings"])) == (200, ["backend frail"])
    assert 'gateway_circuit_open{backend="frail"} 1\n' in gateway.metrics()
    until(lambda: len(gateway.ends(model)) == 5)
    assert gateway.ends(model)[-1]["data"]["upstream_called"] is False
