"""Canaries in every place of a request: the bytes that the upstream got do not hold them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.canaries import CANARIES, Canary, seen
from tests.e2e.running import Gateway
from tests.e2e.upstream import Upstream

USER = {"role": "user", "content": "Go on."}


def with_messages(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [*messages, USER]}


def with_call(function: dict[str, Any]) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": function}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
    return with_messages({"role": "assistant", "content": None, "tool_calls": [call]}, answer)


def with_tool(description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    function = {"name": "f", "description": description, "parameters": parameters}
    return {"messages": [USER], "tools": [{"type": "function", "function": function}]}


def with_field(**fields: Any) -> dict[str, Any]:
    return {"messages": [USER], **fields}


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "system": lambda t: with_messages({"role": "system", "content": t}),
    "developer": lambda t: with_messages({"role": "developer", "content": t}),
    "user": lambda t: with_messages({"role": "user", "content": t}),
    "user list": lambda t: with_messages(
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": t}]}
    ),
    "last user": lambda t: {"messages": [{"role": "user", "content": t}]},
    "assistant history": lambda t: with_messages({"role": "assistant", "content": t}),
    "refusal": lambda t: with_messages({"role": "assistant", "content": None, "refusal": t}),
    "reasoning": lambda t: with_messages({"role": "assistant", "content": "", "reasoning": t}),
    "tool result": lambda t: with_messages({"role": "tool", "tool_call_id": "c", "content": t}),
    "tool result in json": lambda t: with_messages(
        {"role": "tool", "tool_call_id": "c", "content": json.dumps({"rows": [[t]]})}
    ),
    "tool arguments": lambda t: with_call({"name": "f", "arguments": json.dumps({"a": {"b": t}})}),
    "broken tool arguments": lambda t: with_call({"name": "f", "arguments": '{"a": "' + t}),
    "old function call": lambda t: with_messages(
        {"role": "assistant", "function_call": {"name": "f", "arguments": json.dumps([t])}}
    ),
    "custom tool input": lambda t: with_messages(
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": t}}],
        }
    ),
    "tool description": lambda t: with_tool(t, {}),
    "tool schema": lambda t: with_tool("f", {"properties": {"x": {"enum": ["a", t]}}}),
    "tool schema key": lambda t: with_tool("f", {"properties": {t: {"type": "string"}}}),
    "metadata": lambda t: with_field(metadata={"note": t}),
    "metadata key": lambda t: with_field(metadata={t: "note"}),
    "unknown field": lambda t: with_field(new_thing={"deep": [{"er": t}]}),
    "unknown field of a message": lambda t: with_messages(
        {"role": "user", "content": "a", "annotation": t}
    ),
    "user id": lambda t: with_field(user=t),
    "prediction": lambda t: with_field(prediction={"type": "content", "content": t}),
    "response format": lambda t: with_field(
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"description": t}},
        }
    ),
    "stop": lambda t: with_field(stop=["x", t]),
    "name": lambda t: with_messages({"role": "user", "name": t, "content": "a"}),
    "image address": lambda t: with_messages(
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://i.example/?q=" + t}}],
        }
    ),
}


def plain(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def escaped(value: Any) -> bytes:
    """The same JSON with every letter of every string as an escape."""
    if isinstance(value, str):
        return b'"' + b"".join(b"\\u%04x" % ord(c) for c in value) + b'"'
    if isinstance(value, list):
        return b"[" + b",".join(escaped(item) for item in value) + b"]"
    if isinstance(value, dict):
        return b"{" + b",".join(escaped(k) + b":" + escaped(v) for k, v in value.items()) + b"}"
    return json.dumps(value).encode()


@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize("canary", CANARIES, ids=lambda c: c.name)
def test_no_canary_leaves_from_any_place(
    request: pytest.FixtureRequest, upstream: Upstream, policy: str, canary: Canary
) -> None:
    gateway: Gateway = request.getfixturevalue({"default": "gateway"}.get(policy, policy))
    model = f"up-echo-leaves-{policy}-{canary.name}"
    faults = {}
    for place, build in PLACES.items():
        for spell in (plain, escaped):
            body = spell({"model": model, **build(canary.text)})
            fault = _fault(gateway, upstream, body, blocked=policy in canary.blocked)
            faults[place, spell.__name__] = fault
    assert {place: fault for place, fault in faults.items() if fault} == {}


def _fault(gateway: Gateway, upstream: Upstream, body: bytes, *, blocked: bool) -> str:
    """What went wrong with one request, in words; empty if nothing did."""
    before = len(upstream.requests)
    response = gateway.post_raw(body)
    arrived = upstream.requests[before:]
    if (response.status_code, len(arrived)) != ((400, 0) if blocked else (200, 1)):
        return f"status {response.status_code}, {len(arrived)} arrived"
    for received in arrived:
        decoded = json.dumps(received.json, ensure_ascii=False).encode()
        if seen(received.raw + decoded, [gateway.key]) - {Upstream.credential}:
            return "arrived upstream"
    return ""


def test_headers_of_the_client_stay_here_and_the_credential_arrives(
    gateway: Gateway, upstream: Upstream
) -> None:
    body = b'{"model": "up-echo-client-headers", "messages": []}'
    answer = gateway.post_raw(
        body,
        **{
            "cookie": f"session={CANARIES[0].value}",
            "x-forwarded-for": "192.0.2.7",
            "x-api-key": gateway.key,
            "api-key": gateway.key,
            "proxy-authorization": f"Bearer {gateway.key}",
            "referer": f"https://example.org/{CANARIES[0].value}",
            "user-agent": f"mine {CANARIES[0].value}",
            "openai-organization": "org-client",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
    )
    (request,) = upstream.of("up-echo-client-headers")
    assert seen(request.raw, [gateway.key, "192.0.2.7", "org-client"]) == {Upstream.credential}
    assert request.headers["authorization"] == f"Bearer {Upstream.credential}"
    assert request.headers["traceparent"].startswith("00-0af7")
    assert request.headers["accept-encoding"] == "identity"
    assert "cookie" not in request.headers
    assert "set-cookie" not in answer.headers


def test_credential_never_comes_back(gateway: Gateway) -> None:
    for model in ("up-echo-back", "up-status-401-back", "up-status-200-back", "nobody-back"):
        answer = gateway.post(model)
        assert not seen(str(answer.headers).encode() + answer.content, [gateway.key])


def test_headers_that_go_on_hold_no_free_text(gateway: Gateway, upstream: Upstream) -> None:
    body = b'{"model": "up-echo-passed-headers", "messages": []}'
    names = ("idempotency-key", "tracestate", "openai-beta", "accept", "traceparent", "baggage")
    for value in (CANARIES[0].value, "4012888888881881"):
        headers = {**dict.fromkeys(names, value), "content-type": f"application/json; a={value}"}
        assert gateway.post_raw(body, **headers).status_code == 200
    first, second = upstream.of("up-echo-passed-headers")
    assert seen(first.raw + second.raw) == {Upstream.credential}
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_idempotency_key_stays_the_same_key(gateway: Gateway, upstream: Upstream) -> None:
    body = b'{"model": "up-echo-idempotency", "messages": []}'
    for _ in range(2):
        gateway.post_raw(body, **{"idempotency-key": "order-7", "openai-beta": "assistants=v2"})
    first, second = (request.headers for request in upstream.of("up-echo-idempotency"))
    assert first["idempotency-key"] == second["idempotency-key"]
    assert first["openai-beta"] == "assistants=v2"
