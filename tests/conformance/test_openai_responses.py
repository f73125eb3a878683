"""OpenAI's Python client at the Responses API: what it returns or raises, and what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from tests.conformance.vendors import Says, Vendors, events, says
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET = BY_NAME["aws"]
MAIL = "alice.smith@example.com"
FILLER = "These words say nothing that anybody minds. "


def response(name: str, output: list[Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": f"resp_{name}", "object": "response", "created_at": 1, "status": "completed",
        "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
        "model": name, "output": output, "parallel_tool_calls": True, "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "usage": {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0},
                  "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 0},
                  "total_tokens": 7}, **fields,
    }  # fmt: skip


def message(text: str, item: str = "msg_1") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": item, "type": "message", "role": "assistant", "status": "completed",
            "content": [part]}  # fmt: skip


def call(item: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": item, "type": "function_call", "call_id": f"call_{item}", "name": name,
            "arguments": arguments, "status": "completed"}  # fmt: skip


def stream(name: str, *items: tuple[dict[str, Any], list[str]], **how: Any) -> Says:
    """Items with the pieces that their text or arguments come in."""
    begun = response(name, [], status="in_progress", usage=None)
    out: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for index, (item, pieces) in enumerate(items):
        out += list(_item(index, item, pieces))
    done = response(name, [item for item, _ in items])
    out.append({"type": "response.completed", "response": done})
    numbered = [{**event, "sequence_number": n} for n, event in enumerate(out)]
    return events(*numbered, named=True, **how)


def _item(index: int, item: dict[str, Any], pieces: list[str]) -> Iterator[dict[str, Any]]:
    at = {"output_index": index, "item_id": item["id"]}
    text = item["type"] == "message"
    empty = {"content": []} if text else {"arguments": ""}
    yield {"type": "response.output_item.added", "output_index": index,
           "item": {**item, "status": "in_progress", **empty}}  # fmt: skip
    if text:
        (part,) = item["content"]
        at["content_index"] = 0
        yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
        for piece in pieces:
            yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": part}
    else:
        for piece in pieces:
            yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
        yield {"type": "response.function_call_arguments.done", **at, "name": item["name"],
               "arguments": item["arguments"]}  # fmt: skip
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


@pytest.fixture(scope="module")
def stranger(gateway: Gateway) -> str:
    """A key of another tenant's."""
    return KeyTable(gateway.engine, SystemClock()).new("stranger", tenant="globex")[1]


def echo(name: str) -> Any:
    """Answers with the input as it arrived, whole or streamed."""

    def answer(got: Any) -> Says:
        text = got.json["input"]
        if isinstance(text, list):
            text = text[-1]["content"]
        item = message(f"You said: {text}")
        if got.json.get("stream"):
            said = item["content"][0]["text"]
            return stream(name, (item, [said[i : i + 5] for i in range(0, len(said), 5)]))
        return says(response(name, [item]))

    return answer


def test_what_a_provider_sees_is_restored_in_the_answer(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-r-create", echo("openai-r-create"))
    with gateway.sdk() as client:
        found = client.responses.create(model=model, input=f"Write to {MAIL}", store=False)
    assert found.output_text == f"You said: Write to {MAIL}"
    assert found.usage is not None
    assert found.usage.total_tokens == 7
    (got,) = vendors.of(model)
    assert MAIL.encode() not in got.body


def test_a_stream_says_the_same_in_pieces_and_as_a_whole(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("openai-r-stream", echo("openai-r-stream"))
    with (
        gateway.sdk() as client,
        client.responses.stream(model=model, input=f"Write to {MAIL}") as running,
    ):
        pieces = [e.delta for e in running if e.type == "response.output_text.delta"]
        final = running.get_final_response()
    assert "".join(pieces) == final.output_text == f"You said: Write to {MAIL}"
    assert len(pieces) > 2


def test_tools_are_called_with_the_originals(gateway: Gateway, vendors: Vendors) -> None:
    def answer(got: Any) -> Says:
        mail = got.json["input"].split()[-1]
        one, two = f'{{"to":"{mail}"}}', '{"city":"Berlin"}'
        items = [call("fc_1", "mail", one), call("fc_2", "weather", two)]
        if not got.json.get("stream"):
            return says(response("openai-r-tools", items))
        pieces = ([one[:9], one[9:20], one[20:]], [two[:4], two[4:]])
        return stream("openai-r-tools", *zip(items, pieces, strict=True))

    model = vendors.answer("openai-r-tools", answer)
    tools: Any = [{"type": "function", "name": n, "parameters": {}} for n in ("mail", "weather")]
    how: Any = {"model": model, "input": f"mail {MAIL}", "tools": tools}
    with gateway.sdk() as client:
        whole = client.responses.create(**how)
        with client.responses.stream(**how) as running:
            for _ in running:
                pass
            final = running.get_final_response()
    for found in (whole, final):
        arguments = [item.arguments for item in found.output if item.type == "function_call"]
        assert arguments == [f'{{"to":"{MAIL}"}}', '{"city":"Berlin"}']


class Person(BaseModel):
    name: str
    mail: str


def test_structured_output_is_parsed(gateway: Gateway, vendors: Vendors) -> None:
    def answer(got: Any) -> Says:
        text = f'{{"name":"Alice","mail":"{got.json["input"].split()[-1]}"}}'
        return says(response("openai-r-parse", [message(text)]))

    model = vendors.answer("openai-r-parse", answer)
    with gateway.sdk() as client:
        found = client.responses.parse(model=model, input=f"Who is {MAIL}", text_format=Person)
    assert found.output_parsed == Person(name="Alice", mail=MAIL)
    (got,) = vendors.of(model)
    assert got.json["text"]["format"]["name"] == "Person"


def test_a_picture_passes_as_it_is(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer(
        "openai-r-vision", says(response("openai-r-vision", [message("A cat.")]))
    )
    url = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    content: Any = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": url, "detail": "low"},
    ]
    with gateway.sdk() as client:
        found = client.responses.create(model=model, input=[{"role": "user", "content": content}])
    assert found.output_text == "A cat."
    (got,) = vendors.of(model)
    assert got.json["input"][0]["content"][1]["image_url"] == url


def test_errors_of_the_provider_are_typed(gateway: Gateway, vendors: Vendors) -> None:
    error = {"message": "Too much.", "type": "invalid_request_error", "param": "input", "code": "x"}
    model = vendors.answer("openai-r-error", says({"error": error}, 422))
    with gateway.sdk() as client, pytest.raises(openai.UnprocessableEntityError) as raised:
        client.responses.create(model=model, input="Hello")
    assert raised.value.code == "x"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_blocked_request_raises_and_goes_nowhere(
    gateway: Gateway, vendors: Vendors, streamed: bool
) -> None:
    model = vendors.answer("openai-r-blocked", events())
    with gateway.sdk() as client, pytest.raises(openai.BadRequestError) as raised:
        client.responses.create(model=model, input=SECRET.text, stream=streamed)
    assert (raised.value.code, raised.value.param) == ("policy_violation", "input")
    assert SECRET.value not in str(raised.value.body)
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert vendors.of(model) == []


def test_a_stream_blocked_in_the_middle_ends_as_incomplete(
    blocking: Gateway, vendors: Vendors
) -> None:
    text = FILLER * 9 + SECRET.text
    model = vendors.answer(
        "openai-r-stopped",
        stream("openai-r-stopped", (message(text), [*[FILLER] * 9, SECRET.text]), pace_s=0.01),
    )
    with blocking.sdk() as client:
        found = list(client.responses.create(model=model, input="Hello", stream=True))
    said = "".join(e.delta for e in found if e.type == "response.output_text.delta")
    last = found[-1]
    assert last.type == "response.incomplete"
    assert last.response.status == "incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "content_filter"
    assert last.response.output_text == said
    assert said.startswith(FILLER)
    assert [e.sequence_number for e in found] == list(range(len(found)))
    assert SECRET.value not in str(found)


def test_the_helper_for_streams_takes_an_incomplete_end(
    blocking: Gateway, vendors: Vendors
) -> None:
    text = FILLER * 9 + SECRET.text
    model = vendors.answer(
        "openai-r-helper",
        stream("openai-r-helper", (message(text), [*[FILLER] * 9, SECRET.text]), pace_s=0.01),
    )
    with (
        blocking.sdk() as client,
        client.responses.stream(model=model, input="Hello") as running,
    ):
        kinds = [event.type for event in running]
    assert kinds[-2:] == ["response.output_item.done", "response.incomplete"]


def test_a_stream_that_breaks_off_says_that_it_failed(gateway: Gateway, vendors: Vendors) -> None:
    item = (message(FILLER * 9), [FILLER] * 9)
    whole = stream("openai-r-cut", item)
    model = vendors.answer(
        "openai-r-cut", Says(whole.pieces[:8], "text/event-stream", pace_s=0.01, cut=True)
    )
    with gateway.sdk() as client:
        found = list(client.responses.create(model=model, input="Hello", stream=True))
    numbers = [event.sequence_number for event in found]
    assert found[-1].type == "response.failed"
    assert numbers == sorted(set(numbers))


def test_a_response_belongs_to_the_tenant_that_had_it_made(
    gateway: Gateway, vendors: Vendors, stranger: str
) -> None:
    kept = response("openai-r-kept", [message("Kept.")])
    model = vendors.answer("openai-r-kept", says(kept))
    with gateway.sdk() as client, gateway.sdk(stranger) as other:
        made = client.responses.create(model=model, input="Hello")
        again = client.responses.create(model=model, input="And?", previous_response_id=made.id)
        assert again.output_text == "Kept."
        assert client.responses.retrieve(made.id).output_text == "Kept."
        assert client.responses.cancel(made.id).id == made.id
        calls = len(vendors.of(model))
        for attempt in (
            lambda: other.responses.retrieve(made.id),
            lambda: other.responses.retrieve("resp_never_made"),
            lambda: other.responses.cancel(made.id),
            lambda: other.responses.delete(made.id),
            lambda: other.responses.input_items.list(made.id),
            lambda: other.responses.create(model=model, input="And?", previous_response_id=made.id),
            lambda: other.responses.create(
                model=model, input=[{"type": "item_reference", "id": "msg_1"}]
            ),
        ):
            with pytest.raises(openai.NotFoundError):
                attempt()
        assert len(vendors.of(model)) == calls
        client.responses.delete(made.id)
    methods = [got.method for got in vendors.of(model)]
    assert methods == ["POST", "POST", "GET", "POST", "DELETE"]


def test_what_is_made_in_the_background_can_be_polled(gateway: Gateway, vendors: Vendors) -> None:
    states = iter(["queued", "in_progress", "completed"])

    def answer(got: Any) -> Says:
        status = next(states)
        output = [message("Done.")] if status == "completed" else []
        return says(response("openai-r-poll", output, status=status, background=True))

    model = vendors.answer("openai-r-poll", answer)
    with gateway.sdk() as client:
        found = client.responses.create(model=model, input="Take your time", background=True)
        while found.status in ("queued", "in_progress"):
            found = client.responses.retrieve(found.id)
    assert (found.status, found.output_text) == ("completed", "Done.")


def test_input_is_listed_and_counted(gateway: Gateway, vendors: Vendors) -> None:
    def answer(got: Any) -> Says:
        if got.path.endswith("/input_items"):
            item = {"id": "msg_0", "type": "message", "role": "user", "status": "completed",
                    "content": [{"type": "input_text", "text": "Hello"}]}  # fmt: skip
            return says({"object": "list", "data": [item], "has_more": False,
                         "first_id": "msg_0", "last_id": "msg_0"})  # fmt: skip
        if got.path.endswith("/input_tokens"):
            return says({"object": "response.input_tokens", "input_tokens": 11})
        return says(response("openai-r-items", [message("Hi.")]))

    model = vendors.answer("openai-r-items", answer)
    with gateway.sdk() as client:
        made = client.responses.create(model=model, input="Hello")
        listed = client.responses.input_items.list(made.id, limit=5, order="asc")
        assert [item.id for item in listed] == ["msg_0"]
        assert client.responses.input_tokens.count(model=model, input="Hi").input_tokens == 11
