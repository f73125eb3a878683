"""OpenAI's Python client over a WebSocket: what both sides hear of a session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiohttp
import openai
import pytest

from tests.conformance.vendors import Talk, Vendors
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway, until

SECRET, EMAIL = BY_NAME["aws"], BY_NAME["email"]
WAIT_S = 20


def run(what: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(what, WAIT_S))


def user(text: str) -> Any:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def pieces(text: str, size: int = 5) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def response(number: int, head: str, text: str, *, audio: bool = False) -> list[Any]:
    """The events of one response that says this, as OpenAI sends them."""
    about = {"response_id": f"resp_{number}", "item_id": f"item_{number}"}
    at = {**about, "output_index": 0, "content_index": 0}
    member = "transcript" if audio else "text"
    empty = {"type": "audio" if audio else "text", member: ""}
    kind = "output_audio" if audio else "output_text"
    item = {"id": f"item_{number}", "object": "realtime.item", "type": "message",
            "role": "assistant", "status": "in_progress", "content": []}  # fmt: skip
    full = {**item, "status": "completed", "content": [{"type": kind, member: text}]}
    begun = {"id": f"resp_{number}", "object": "realtime.response", "status": "in_progress",
             "output": [], "conversation_id": "conv_1"}  # fmt: skip
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    done = {**begun, "status": "completed", "output": [full], "usage": usage}
    sound = [{"type": "response.output_audio.delta", **at, "delta": "AAAAAAAA"}] if audio else []
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", **about, "output_index": 0, "item": item},
        {"type": "conversation.item.added", "previous_item_id": None, "item": item},
        {"type": "response.content_part.added", **at, "part": empty},
        *[{"type": f"{head}.delta", **at, "delta": p} for p in pieces(text)],
        *sound,
        {"type": f"{head}.done", **at, member: text},
        {"type": "response.content_part.done", **at, "part": {**empty, member: text}},
        {"type": "response.output_item.done", **about, "output_index": 0, "item": full},
        {"type": "conversation.item.done", "previous_item_id": None, "item": full},
        {"type": "response.done", "response": done},
    ]
    return [{"event_id": f"event_{number}_{i}", **event} for i, event in enumerate(events)]


def session(model: str = "m") -> Any:
    return {"type": "session.created", "event_id": "event_0",
            "session": {"type": "realtime", "id": "sess_1", "model": model}}  # fmt: skip


def says(*events: Any) -> Callable[[Talk], Awaitable[None]]:
    """Greets, then answers each `response.create` with these events."""

    async def script(talk: Talk) -> None:
        await talk.say(session())
        while (event := await talk.hear()) is not None:
            if event["type"] == "response.create":
                await talk.say(*events)

    return script


async def echoes(talk: Talk) -> None:
    """Answers with the last text it was sent."""
    await talk.say(session())
    number, last = 0, ""
    while (event := await talk.hear()) is not None:
        if event["type"] == "conversation.item.create":
            last = event["item"]["content"][0]["text"]
            await talk.say({"type": "conversation.item.added", "event_id": "e",
                            "item": {"id": "item_u", **event["item"]}})  # fmt: skip
        elif event["type"] == "response.create":
            number += 1
            await talk.say(*response(number, "response.output_text", last))


async def until_done(connection: Any) -> list[Any]:
    events = []
    async for event in connection:
        events.append(event)
        if event.type in ("response.done", "error"):
            break
    return events


def told(events: list[Any]) -> str:
    """The text as its pieces add it up; every later whole text must say the same."""
    text = "".join(
        e.delta for e in events if e.type.endswith((".delta",)) and "audio.delta" not in e.type
    )
    for event in events:
        member = next((m for m in ("text", "transcript", "arguments") if hasattr(event, m)), "")
        if event.type.startswith("response.") and event.type.endswith(".done") and member:
            assert getattr(event, member) == text
    return text


async def asked(client: openai.AsyncOpenAI, model: str, *texts: str) -> list[Any]:
    async with client, client.realtime.connect(model=model) as connection:
        for text in texts:
            await connection.conversation.item.create(item=user(text))
        await connection.response.create()
        return await until_done(connection)


def test_personal_data_stays_here_and_comes_back(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-echo", echoes)
    events = run(asked(gateway.async_sdk(), model, EMAIL.text))
    assert told(events) == EMAIL.text
    (talk,) = vendors.talks(model)
    assert EMAIL.value not in "".join(talk.heard)
    assert len(talk.heard) == 2
    item = next(e.item for e in events if e.type == "conversation.item.added")
    assert item.content[0].text == EMAIL.text
    done = events[-1].response
    assert done.output[0].content[0].text == EMAIL.text
    assert (talk.headers["authorization"], done.status) == (
        f"Bearer {vendors.credential}", "completed"
    )  # fmt: skip


def test_the_session_is_on_record(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-record", echoes)
    run(asked(gateway.async_sdk(), model, EMAIL.text))
    closed = gateway.closed(model)
    assert [e["kind"] for e in gateway.entries(model=model)] == [
        "exchange.opened", "exchange.closed"
    ]  # fmt: skip
    assert closed["outcome"] == "completed"
    core = closed["data"]
    assert (core["status"], core["upstream_status"], core["restored"] > 0) == (101, 101, True)
    assert core["usage"] == {"input": 3, "output": 4}
    assert core["request"]["judged_bytes"]["/item/content/*/text"] > 0
    assert core["response"]["judged_bytes"]["/delta"] > 0
    assert core["request"]["bytes"] > 0 < core["response"]["bytes"]


def test_what_is_taken_out_of_a_transcript_is_taken_out_everywhere(
    gateway: Gateway, vendors: Vendors
) -> None:
    head = "response.output_audio_transcript"
    script = says(*response(1, head, f"Write to {SECRET.value} soon.", audio=True))
    model = vendors.talk("openai-live-transcript", script)
    events = run(asked(gateway.async_sdk(), model))
    assert SECRET.value not in "".join(e.model_dump_json() for e in events)
    assert told(events).startswith("Write to [")
    assert [e.delta for e in events if e.type == "response.output_audio.delta"] == ["AAAAAAAA"]


def test_function_arguments_are_whole_json(gateway: Gateway, vendors: Vendors) -> None:
    async def calls(talk: Talk) -> None:
        await talk.say(session())
        while (event := await talk.hear()) is not None:
            if event["type"] == "conversation.item.create":
                who = event["item"]["content"][0]["text"]
            elif event["type"] == "response.create":
                await talk.say(*call(json.dumps({"who": who})))

    model = vendors.talk("openai-live-call", calls)
    events = run(asked(gateway.async_sdk(), model, EMAIL.text))
    assert json.loads(told(events)) == {"who": EMAIL.text}
    (item,) = events[-1].response.output
    assert json.loads(item.arguments) == {"who": EMAIL.text}


def call(arguments: str) -> list[Any]:
    about = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "event_id": "e"}
    head = "response.function_call_arguments"
    item = {"id": "item_1", "type": "function_call", "name": "find", "call_id": "call_1",
            "status": "in_progress", "arguments": ""}  # fmt: skip
    full = {**item, "status": "completed", "arguments": arguments}
    begun = {"id": "resp_1", "status": "in_progress", "output": []}
    return [
        {"type": "response.created", "event_id": "e", "response": begun},
        {"type": "response.output_item.added", **about, "item": item},
        *[{"type": f"{head}.delta", **about, "delta": p} for p in pieces(arguments)],
        {"type": f"{head}.done", **about, "call_id": "c", "name": "find", "arguments": arguments},
        {"type": "response.output_item.done", **about, "item": full},
        {"type": "response.done", "event_id": "e",
         "response": {**begun, "status": "completed", "output": [full]}},
    ]  # fmt: skip


def test_a_blocked_event_does_not_go_on_and_the_session_does(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.talk("openai-live-blocked", echoes)

    async def talk_on() -> tuple[Any, list[Any]]:
        client = gateway.async_sdk()
        async with client, client.realtime.connect(model=model) as connection:
            item = user(SECRET.text)
            await connection.send(
                {"type": "conversation.item.create", "event_id": "mine_1", "item": item}
            )
            events = await until_done(connection)
            await connection.conversation.item.create(item=user("Hello."))
            await connection.response.create()
            return events[-1], await until_done(connection)

    error, events = run(talk_on())
    assert (error.error.code, error.error.event_id) == ("policy_violation", "mine_1")
    assert SECRET.value not in error.model_dump_json()
    assert told(events) == "Hello."
    (talk,) = vendors.talks(model)
    assert [json.loads(t)["type"] for t in talk.heard] == [
        "conversation.item.create", "response.create"
    ]  # fmt: skip
    assert gateway.closed(model)["outcome"] == "blocked"


def test_a_response_is_stopped_in_the_middle_and_cancelled(
    blocking: Gateway, vendors: Vendors
) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text + " And more." * 20
    harmless = response(2, "response.output_text", "All is well.")

    async def script(talk: Talk) -> None:
        await talk.say(session())
        await talk.hear()
        await talk.say(*response(1, "response.output_text", text))
        while (event := await talk.hear()) is not None:
            if event["type"] == "response.cancel":
                await talk.say({"type": "error", "event_id": "e", "error": {
                    "type": "invalid_request_error", "code": "response_cancel_not_active",
                    "message": "Nothing to cancel.", "event_id": event["event_id"]}})  # fmt: skip
            else:
                await talk.say(*harmless)

    model = vendors.talk("openai-live-middle", script)

    async def talk_on() -> tuple[list[Any], list[Any]]:
        client = blocking.async_sdk()
        async with client, client.realtime.connect(model=model) as connection:
            await connection.response.create()
            first = await until_done(connection)
            await connection.response.create()
            return first, await until_done(connection)

    first, second = run(talk_on())
    assert told(first).startswith("Some harmless words")
    assert SECRET.value not in "".join(e.model_dump_json() for e in first)
    done = first[-1].response
    assert (done.status, done.status_details.reason) == ("incomplete", "content_filter")
    assert [e.type for e in first][-4:] == [
        "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.done",
    ]  # fmt: skip
    assert told(second) == "All is well."
    (talk,) = vendors.talks(model)
    assert '"response.cancel"' in "".join(talk.heard)


def test_two_sessions_do_not_mix(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-two", echoes)
    texts = ["First for a.one@example.com here.", "Second for b.two@example.com here."]

    async def both() -> list[list[Any]]:
        clients = [gateway.async_sdk() for _ in texts]
        asks = [asked(c, model, t) for c, t in zip(clients, texts, strict=True)]
        return await asyncio.gather(*asks)

    assert [told(events) for events in run(both())] == texts
    assert len(gateway.ends(model, 2)) == 2


def test_a_model_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    status, body = run(
        refused(gateway, "nobodys-model", {"authorization": f"Bearer {gateway.key}"})
    )
    assert (status, body["error"]["code"]) == (404, "model_not_found")


async def refused(
    gateway: Gateway, model: str, headers: dict[str, str], path: str = "/v1/realtime"
) -> tuple[int, Any]:
    """Status and body with which a handshake is refused."""
    upgrade = {
        "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{gateway.url}{path}?model={model}", headers={**upgrade, **headers}) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer gw_wrong"}])
def test_nobody_comes_in_without_a_key(gateway: Gateway, headers: dict[str, str]) -> None:
    status, body = run(refused(gateway, "openai-live-any", headers))
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")


def test_a_key_may_come_as_a_subprotocol(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-browser", echoes)

    async def browse() -> tuple[str | None, Any]:
        offered = ("realtime", f"openai-insecure-api-key.{gateway.key}", "openai-beta.realtime-v1")
        url = f"{gateway.url}/openai/realtime?api-version=2025-04-01&deployment={model}"
        async with aiohttp.ClientSession() as http, http.ws_connect(url, protocols=offered) as ws:
            return ws.protocol, await ws.receive_json()

    protocol, first = run(browse())
    assert (protocol, first["type"]) == ("realtime", "session.created")
    (talk,) = vendors.talks(model)
    assert talk.headers["openai-beta"] == "realtime=v1"
    assert gateway.key not in str(talk.headers)
    assert talk.query == f"model={model}"


ODD: list[tuple[str | bytes, str]] = [
    (b"\x00\x01", "unsupported_frame"),
    ("not json", "unreadable_body"),
    ('{"type":"response.create","type":"x"}', "unreadable_body"),
    ('{"no":"type"}', "unreadable_body"),
    ('{"type":"session.update","session":{"model":"openai-other"}}', "model_fixed"),
]


def test_what_is_no_event_is_told_so_and_stays_here(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-odd", echoes)

    async def odd() -> list[str]:
        codes = []
        url = f"{gateway.url}/v1/realtime?model={model}"
        heads = {"authorization": f"Bearer {gateway.key}"}
        async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=heads) as ws:
            await ws.receive_json()
            for event, _ in ODD:
                await (ws.send_str(event) if isinstance(event, str) else ws.send_bytes(event))
                codes.append((await ws.receive_json())["error"]["code"])
        return codes

    assert run(odd()) == [code for _, code in ODD]
    assert vendors.talks(model)[0].heard == []


def test_the_vendors_close_is_passed_on(gateway: Gateway, vendors: Vendors) -> None:
    async def leaves(talk: Talk) -> None:
        await talk.say(session())
        talk.code = 3999

    model = vendors.talk("openai-live-leaves", leaves)

    async def hear() -> int | None:
        url = f"{gateway.url}/v1/realtime?model={model}"
        heads = {"authorization": f"Bearer {gateway.key}"}
        async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=heads) as ws:
            async for _ in ws:
                pass
            return ws.close_code

    assert run(hear()) == 3999


def test_a_client_that_leaves_is_missed_by_the_vendor(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.talk("openai-live-left", echoes)

    async def leave() -> None:
        client = gateway.async_sdk()
        async with client, client.realtime.connect(model=model) as connection:
            await connection.recv()

    run(leave())
    until(lambda: vendors.talks(model)[0].left)
    assert gateway.closed(model)["outcome"] == "completed"


def test_a_vendor_that_refuses_is_told_of(gateway: Gateway) -> None:
    async def refuse() -> int:
        url = f"{gateway.url}/v1/realtime?model=openai-nobody-talks"
        heads = {"authorization": f"Bearer {gateway.key}"}
        async with aiohttp.ClientSession() as http, http.get(url, headers=heads) as answer:
            return answer.status

    assert run(refuse()) == 405
    status, _ = run(refused_text(gateway, "openai-nobody-talks"))
    assert status == 403


async def refused_text(gateway: Gateway, model: str) -> tuple[int, str]:
    heads = {"authorization": f"Bearer {gateway.key}"}
    async with aiohttp.ClientSession() as http:
        try:
            url = f"{gateway.url}/v1/realtime?model={model}"
            async with http.ws_connect(url, headers=heads):
                return 101, ""
        except aiohttp.WSServerHandshakeError as err:
            return err.status, err.message
