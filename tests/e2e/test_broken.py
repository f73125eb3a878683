"""Broken on purpose: what fails refuses, says so on record, and recovers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import openai
import pytest

from tests.e2e import failing_detector
from tests.e2e.canaries import BY_NAME
from tests.e2e.conftest import Run
from tests.e2e.flood import Flood
from tests.e2e.running import Gateway, until
from tests.e2e.upstream import Upstream

EMAIL = BY_NAME["email"].value


@pytest.fixture(scope="module")
def sturdy(run_gateway: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Shared: each test breaks it in its own way and sees it recover."""
    plugins = tmp_path_factory.mktemp("plugins")
    failing_detector.install(plugins)
    # Short, for some are waited out, and long enough for a busy machine.
    with run_gateway(
        detectors="patterns,failing", plugins=plugins, detector_deadline_s="3"
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _recovers(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sturdy" in request.fixturenames:
        gateway: Gateway = request.getfixturevalue("sturdy")
        until(lambda: gateway.post("up-echo-mended", "Do NOTHING.").status_code == 200)
        assert gateway.readyz() == (200, {"status": "ok"})


# What may pass by itself is worth another try; an error of the detector's is not.
FAILURES = [("RAISE", 400), ("DIE", 503), ("LOAF", 503)]


@pytest.mark.parametrize(("how", "status"), FAILURES)
@pytest.mark.parametrize("stream", [False, True])
def test_failing_detector_blocks_is_on_record_and_recovers(
    sturdy: Gateway, upstream: Upstream, how: str, status: int, stream: bool
) -> None:
    model = f"up-echo-{how.lower()}-{stream}"
    refused = sturdy.post(model, f"Please {how}, {EMAIL}", stream=stream)
    assert refused.status_code == status
    assert refused.json()["error"]["gateway"]["rule"] == "on-detector-error"
    assert refused.headers["x-should-retry"] == ("true" if status == 503 else "false")
    assert ("retry-after" in refused.headers) is (status == 503)
    assert upstream.of(model) == []
    closed = sturdy.closed(model)
    assert closed["outcome"] == "blocked"
    findings = {f["detector"]: f["category"] for f in closed["data"]["request"]["findings"]}
    assert findings["failing"] == "DETECTOR_ERROR"


@pytest.mark.parametrize(("how", "status"), FAILURES)
@pytest.mark.parametrize("stream", [False, True])
def test_answer_that_a_detector_fails_on_is_withheld(
    sturdy: Gateway, how: str, status: int, stream: bool
) -> None:
    model = f"up-word-{how}-{stream}"
    answer = sturdy.post(model, stream=stream)
    assert f"is {how}" not in answer.text
    assert sturdy.closed(model)["outcome"] == "blocked"
    if stream:
        assert answer.status_code == status
        assert answer.headers["x-should-retry"] == "false"
    else:
        (choice,) = answer.json()["choices"]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", None)


def test_call_is_refused_while_the_log_is_away_and_nothing_is_lost(
    run_gateway: Run, upstream: Upstream, database_url: str
) -> None:
    kind = database_url.partition(":")[0]
    before, model = f"up-slow-before-{kind}", f"up-echo-away-{kind}"
    with run_gateway(database_url=database_url, detectors="patterns") as gateway:
        with gateway.streaming(before, "x" * 60) as stream:
            pieces = stream.iter_bytes()
            next(pieces)
            with gateway.database_away():
                refused = gateway.post(model)
                until(lambda: gateway.readyz()[0] == 503)
                again = gateway.post(model)
                rest = b"".join(pieces)
                assert "audit" in gateway.readyz()[1]["problems"]
                assert gateway.ask("GET", f"{gateway.admin_url}/readyz").status_code == 503
        assert rest.endswith(b"data: [DONE]\n\n")
        for response in (refused, again):
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "record_unavailable"
            assert int(response.headers["retry-after"]) > 0
        assert upstream.of(model) == []
        until(lambda: gateway.readyz()[0] == 200)
        assert gateway.post(model).status_code == 200
        assert len(upstream.of(model)) == 1
        assert gateway.closed(before)["outcome"] == "completed"
        assert gateway.closed(model)["outcome"] == "completed"
        assert "gateway_record_unavailable_total" in gateway.metrics()
        assert "gateway_audit_dropped_total 0" in gateway.metrics()
        assert gateway.stop() == 0
        code, report = gateway.verify()
        assert (code, report["unclosed_count"]) == (0, 0)


def test_call_waits_until_its_record_is_durable(sturdy: Gateway, upstream: Upstream) -> None:
    with (
        sturdy.database_away() as bring_back,
        Flood(sturdy, ("up-echo-durable",), 5) as flood,
    ):
        time.sleep(0.5)
        assert upstream.of("up-echo-durable") == []
        assert sturdy.entries(model="up-echo-durable") == []
        bring_back()
    assert flood.statuses == [200] * 5
    assert len(upstream.of("up-echo-durable")) == 5


def test_a_catalogue_that_cannot_be_served_changes_nothing(sturdy: Gateway) -> None:
    good = sturdy.catalogue.read_text()
    needing = "  - {name: lite, kind: litellm, settings: {provider: bedrock}}\nmodels:"
    try:
        text = good.replace("models:", f"{needing}\n  - {{name: nova, backend: lite}}")
        sturdy.catalogue.write_text(text)
        until(lambda: "warnings" in sturdy.readyz()[1])
        assert "litellm is not installed" in sturdy.readyz()[1]["warnings"]["catalogue"]
        assert sturdy.post("nova").status_code == 404
        assert sturdy.post("up-echo-catalogue").status_code == 200
    finally:
        sturdy.catalogue.write_text(good)
    until(lambda: "warnings" not in sturdy.readyz()[1])


def test_a_model_that_is_off_is_told_from_one_that_is_not_there(sturdy: Gateway) -> None:
    good = sturdy.catalogue.read_text()
    absent = '{name: far, kind: openai, url: "http://127.0.0.1:1", credential: env:NO_SUCH_KEY, '
    try:
        sturdy.catalogue.write_text(
            good.replace("models:", f"  - {absent}optional: true}}\nmodels:")
            + '  - {name: "far-*", backend: far}\n'
        )
        until(lambda: "backend far" in sturdy.readyz()[1].get("warnings", {}))
        status, body = sturdy.readyz()
        assert (status, body["status"]) == (200, "ok")
        told = {m: sturdy.post(m).json()["error"] for m in ("far-9", "near-9")}
        assert {error["code"] for error in told.values()} == {"model_not_found"}
        assert "no credential" in told["far-9"]["message"]
        assert "no such model" in told["near-9"]["message"]
    finally:
        sturdy.catalogue.write_text(good)
    until(lambda: "warnings" not in sturdy.readyz()[1])


def test_broken_policy_changes_nothing_until_it_is_mended(sturdy: Gateway) -> None:
    good = sturdy.policy.read_text()
    sturdy.post("up-echo-policy-1")
    try:
        sturdy.policy.write_text(good.replace("then: block", "then: explode"))
        until(lambda: "warnings" in sturdy.readyz()[1])
        status, body = sturdy.readyz()
        assert (status, "explode" in body["warnings"]["policy"]) == (200, True)
        assert sturdy.post("up-echo-policy-2", BY_NAME["aws"].text).status_code == 400
        sturdy.policy.write_text(good.replace("2026.11.1", "2026.11.2"))
        until(lambda: "warnings" not in sturdy.readyz()[1])
        answer = sturdy.post("up-echo-policy-3")
        assert 'rev="2026.11.2"' in answer.headers["gw-decision"]
    finally:
        sturdy.policy.write_text(good)
    digests = [sturdy.closed(f"up-echo-policy-{i}")["data"]["policy"]["digest"] for i in (1, 2, 3)]
    assert digests[0] == digests[1] != digests[2]


def test_upstream_that_never_answers_is_a_gateway_timeout(
    sturdy: Gateway, upstream: Upstream
) -> None:
    began = time.monotonic()
    answer = sturdy.post("impatient-hang")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert time.monotonic() - began < 5
    assert upstream.of("impatient-hang")[0].gone.wait(5)
    closed = sturdy.closed("impatient-hang")
    assert (closed["outcome"], closed["data"]["error"]) == ("upstream_error", "upstream_timeout")


@pytest.mark.parametrize(
    ("model", "error"),
    [("impatient-stall", "upstream_timeout"), ("up-cut", "upstream_unreachable")],
)
def test_stream_that_the_upstream_does_not_end_ends_with_an_error(
    sturdy: Gateway, upstream: Upstream, model: str, error: str
) -> None:
    said = [{"role": "user", "content": "Hello."}]
    texts = []
    with sturdy.sdk() as client:
        stream = client.chat.completions.create(model=model, messages=said, stream=True)
        with pytest.raises(openai.APIError) as raised:
            texts.extend(chunk.choices[0].delta.content for chunk in stream)
    assert raised.value.code == "upstream_error"
    assert len(texts) > 10
    assert upstream.of(model)[0].gone.wait(5)
    closed = sturdy.closed(model)
    assert (closed["outcome"], closed["data"]["error"]) == ("upstream_error", error)
    assert len(upstream.of(model)) == 1


def test_client_that_leaves_in_mid_stream_ends_the_upstream_call(
    sturdy: Gateway, upstream: Upstream
) -> None:
    with sturdy.streaming("up-endless") as stream:
        next(stream.iter_bytes())
        assert not upstream.of("up-endless")[0].gone.is_set()
    assert upstream.of("up-endless")[0].gone.wait(3)
    assert sturdy.closed("up-endless")["outcome"] == "disconnected"


def test_client_that_leaves_before_the_answer_ends_the_upstream_call(
    sturdy: Gateway, upstream: Upstream
) -> None:
    body = b'{"model": "up-hang-left", "messages": []}'
    host, port = sturdy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
            % (sturdy.key.encode(), len(body), body)
        )
        (request,) = upstream.wait_for("up-hang-left")
    assert request.gone.wait(3)
    assert sturdy.closed("up-hang-left")["outcome"] == "disconnected"


def test_client_that_leaves_while_its_body_is_read_leaves_no_trace_upstream(
    sturdy: Gateway, upstream: Upstream
) -> None:
    before = len(upstream.requests)
    host, port = sturdy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: 100\r\n\r\n{" % sturdy.key.encode()
        )
        time.sleep(0.1)
    assert sturdy.post("up-echo-after").status_code == 200
    assert len(upstream.requests) == before + 1
