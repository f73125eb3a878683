"""What only Gemini's API has: schemas of its own, calls without ids, streams as an array."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.backends._spokes import gemini
from gateway.backends._spokes._gemini_schema import plain
from gateway.backends._spokes._told import Delta, Told, ToolCall
from gateway.core.calls import Outgoing
from gateway.core.errors import Refused
from tests.translation.asking import outgoing
from tests.translation.gemini import HELLO, together

SPOKE = gemini.Member()
SCHEMAS: list[tuple[Any, Any]] = [
    ({"type": "STRING"}, {"type": "string"}),
    ({"type": "ARRAY", "items": {"type": "INTEGER"}, "max_items": "3"},
     {"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
    ({"type": "STRING", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ({"any_of": [{"type": "NUMBER"}], "propertyOrdering": ["a"]}, {"anyOf": [{"type": "number"}]}),
    # The names of properties are nobody's words.
    ({"type": "OBJECT", "properties": {"property_ordering": {"type": "BOOLEAN"}}},
     {"type": "object", "properties": {"property_ordering": {"type": "boolean"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("own", "expected"), SCHEMAS)
def test_googles_schemas_become_json_schema(own: Any, expected: Any) -> None:
    assert plain(own) == expected


def test_a_schema_without_a_bottom_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"items": deep}
    with pytest.raises(Refused):
        plain(deep)


def asked(**body: Any) -> dict[str, Any]:
    return SPOKE.ask(outgoing("gemini", {**HELLO, **body}, "m"))


def test_results_find_their_calls_by_name_and_order() -> None:
    calls = [{"functionCall": {"name": name, "args": {}}} for name in ("f", "g", "f")]
    results = [
        {"functionResponse": {"name": name, "response": {"at": at}}}
        for at, name in enumerate(("g", "f", "f"))
    ]
    talk = asked(contents=[{"role": "model", "parts": calls}, {"role": "user", "parts": results}])[
        "messages"
    ]
    assert [call["id"] for call in talk[0]["tool_calls"]] == ["call_1", "call_2", "call_3"]
    assert [m["tool_call_id"] for m in talk[1:]] == ["call_2", "call_1", "call_3"]


CHOICES: list[tuple[dict[str, Any], Any]] = [
    ({"mode": "AUTO"}, "auto"),
    ({"mode": "NONE"}, "none"),
    ({"mode": "ANY"}, "required"),
    ({"mode": "ANY", "allowed_function_names": ["f"]},
     {"type": "function", "function": {"name": "f"}}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "expected"), CHOICES)
def test_a_choice_of_tools(config: Any, expected: Any) -> None:
    tools = [{"function_declarations": [{"name": "f"}]}]
    got = asked(tools=tools, toolConfig={"functionCallingConfig": config})
    assert got["tool_choice"] == expected


def test_a_stream_without_events_is_one_array() -> None:
    call = Outgoing(json.dumps(HELLO).encode(), "gemini_stream", "/v1beta/models/m:x", stream=True)
    writer = SPOKE.writer(call)
    told = Told(id="7", model="m", tools=[ToolCall("call_a", "f", '{"a":1}')])
    out = writer.begin(told) + writer.add(Delta("Yes")) + writer.end(told)
    assert writer.media.startswith("application/json")
    heard = together(json.loads(out))
    assert (heard.text, heard.tools) == ("Yes", [("f", {"a": 1})])


def test_thoughts_are_counted_apart() -> None:
    told = Told(completion_tokens=7, reasoning_tokens=5, reasoning="Hm.", text="Yes")
    answer = SPOKE.answer(told, outgoing("gemini", HELLO, "m"))
    usage = answer["usageMetadata"]
    assert (usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (2, 5)
    assert answer["candidates"][0]["content"]["parts"][0] == {"text": "Hm.", "thought": True}
