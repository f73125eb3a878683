"""A client of OpenAI's Responses: what it asks with, and how it reads answers, strictly."""

from __future__ import annotations

import json
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.translation.heard import PNG, SCHEMA, Heard, events

HELLO: dict[str, Any] = {"input": "Hello."}
TALK: dict[str, Any] = {
    "instructions": "Be kind.",
    "input": [
        {"role": "user", "content": [
            {"type": "input_text", "text": "Look at this."},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [
            {"type": "output_text", "text": "I look.", "annotations": []}]},
        {"type": "function_call", "call_id": "call_a", "name": "weather",
         "arguments": '{"city":"Oslo"}'},
        {"type": "function_call_output", "call_id": "call_a", "output": "Rain."},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "name": "weather", "description": "Tells it.",
               "parameters": SCHEMA, "strict": False}],
    "tool_choice": "required", "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 99,
}  # fmt: skip
JSON: dict[str, Any] = {
    "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}}
}
_ENDS = {None: "stop", "max_output_tokens": "length", "content_filter": "content_filter"}
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def whole(body: bytes) -> Heard:
    """One body: a response, or an error."""
    value = json.loads(body)
    if value.get("error"):
        return Heard(error=value["error"]["message"])
    return _heard(value)


def streamed(body: bytes) -> Heard:
    """Events: in order, each in its place, and the last one repeats what the others said."""
    first, second, *rest, last = events(body)
    told = [first, second, *rest, last]
    for event in told:
        _EVENT.validate_python(event, strict=True)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert (first["type"], second["type"]) == ("response.created", "response.in_progress")
    assert first["response"]["output"] == second["response"]["output"] == []
    items = []
    while rest:
        items.append(_item(rest, len(items)))
    assert last["response"]["output"] == items
    assert last["type"] == f"response.{last['response']['status']}"
    assert last["response"]["id"] == first["response"]["id"]
    return _heard(last["response"])


def _item(rest: list[Any], index: int) -> Any:
    added = rest.pop(0)
    assert (added["type"], added["output_index"]) == ("response.output_item.added", index)
    assert added["item"]["status"] == "in_progress"
    if added["item"]["type"] == "function_call":
        assert added["item"]["arguments"] == ""
        text = _text(rest, "response.function_call_arguments", "arguments", added)
        content = {"arguments": text}
    else:
        assert added["item"]["content"] == []
        parts: list[Any] = []
        while rest[0]["type"] == "response.content_part.added":
            parts.append(_part(rest, added, len(parts)))
        content = {"content": parts}
    done = rest.pop(0)
    assert (done["type"], done["output_index"]) == ("response.output_item.done", index)
    assert done["item"] == {**added["item"], **content, "status": "completed"}
    return done["item"]


def _part(rest: list[Any], added: Any, index: int) -> Any:
    begun = rest.pop(0)
    assert (begun["item_id"], begun["content_index"]) == (added["item"]["id"], index)
    kind = begun["part"]["type"]
    member = "refusal" if kind == "refusal" else "text"
    text = _text(rest, f"response.{kind}", member, added)
    done = rest.pop(0)
    assert done["type"] == "response.content_part.done"
    assert done["part"] == {**begun["part"], member: text}
    return done["part"]


def _text(rest: list[Any], series: str, member: str, added: Any) -> str:
    text = ""
    while rest[0]["type"] == f"{series}.delta":
        event = rest.pop(0)
        assert (event["item_id"], event["output_index"]) == (
            added["item"]["id"], added["output_index"])  # fmt: skip
        text += event["delta"]
    done = rest.pop(0)
    assert (done["type"], done[member]) == (f"{series}.done", text)
    return text


def _heard(value: Any) -> Heard:
    Response.model_validate(value, strict=True)
    details = value["incomplete_details"]
    assert value["status"] == ("incomplete" if details else "completed")
    assert value["store"] is False
    heard = Heard(finish=_ENDS[details and details["reason"]])
    heard.usage = value["usage"]["input_tokens"], value["usage"]["output_tokens"]
    for item in value["output"]:
        if item["type"] == "function_call":
            heard.tools.append((item["name"], json.loads(item["arguments"])))
            heard.finish = "tool_calls"
        elif item["type"] == "message":
            heard.text += "".join(p.get("text", "") for p in item["content"])
    return heard
