"""What only the Responses API has: items that belong together, and events in their order."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.backends._spokes import responses
from gateway.backends._spokes._told import Delta, Told, ToolCall
from tests.translation.asking import outgoing
from tests.translation.heard import PNG, events
from tests.translation.responses import streamed, whole

SPOKE = responses.Member()
CALLS: list[dict[str, Any]] = [
    {"type": "function_call", "call_id": f"call_{n}", "name": "weather", "arguments": "{}"}
    for n in "ab"
]


def asked(**body: Any) -> dict[str, Any]:
    return SPOKE.ask(outgoing("openai_responses", {"input": "Hello.", **body}, "m"))


def test_calls_join_what_was_said_before_them() -> None:
    talk = asked(input=[{"role": "assistant", "content": "I look."}, *CALLS])["messages"]
    (message,) = talk
    assert message["content"] == "I look."
    assert [call["id"] for call in message["tool_calls"]] == ["call_a", "call_b"]


def test_what_results_show_is_said_after_all_of_them() -> None:
    shown = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}
    results = [
        {"type": "function_call_output", "call_id": "call_a", "output": [
            {"type": "input_text", "text": "Rain."}, shown]},
        {"type": "function_call_output", "call_id": "call_b", "output": "Sun."},
    ]  # fmt: skip
    talk = asked(input=[*CALLS, *results, {"role": "user", "content": "And?"}])["messages"]
    assert [m["role"] for m in talk] == ["assistant", "tool", "tool", "user", "user"]
    assert [m["content"] for m in talk[1:3]] == ["Rain.", "Sun."]
    assert talk[3]["content"][0]["image_url"]["url"].endswith(PNG)


CHOICES: list[tuple[Any, Any]] = [
    ("auto", "auto"),
    ("none", "none"),
    ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
]


@pytest.mark.parametrize(("choice", "expected"), CHOICES)
def test_a_choice_of_tools(choice: Any, expected: Any) -> None:
    tools = [{"type": "function", "name": "f", "parameters": None, "strict": True}]
    assert asked(tools=tools, tool_choice=choice)["tool_choice"] == expected


def test_effort_and_developers_have_counterparts() -> None:
    got = asked(input=[{"role": "developer", "content": "Be kind."}], reasoning={"effort": "low"})
    assert (got["reasoning_effort"], got["messages"][0]["role"]) == ("low", "system")


def test_usual_values_and_what_is_nowhere_to_be_had_are_left_out() -> None:
    got = asked(store=False, background=False, truncation="disabled", user="u", top_logprobs=0,
                service_tier="auto", include=["reasoning.encrypted_content"],
                text={"format": {"type": "text"}})  # fmt: skip
    assert got.keys() == {"messages"}


def test_every_kind_of_item_is_told_in_its_order() -> None:
    call = outgoing("openai_responses", {"input": "Hello."}, "m", stream=True)
    told = Told(id="7", model="m", tools=[ToolCall("call_a", "f", ""), ToolCall("call_b", "g")])
    writer = SPOKE.writer(call)
    out = writer.begin(told)
    for delta in (Delta(reasoning="Hm"), Delta(reasoning="."), Delta("Yes"), Delta("No", "", "No"),
                  Delta(reasoning="Wait."), Delta("Well.")):  # fmt: skip
        out += writer.add(delta)
    out += writer.end(told)
    heard = streamed(out)
    assert (heard.text, heard.tools) == ("YesWell.", [("f", {}), ("g", {})])
    kinds = [item["type"] for item in events(out)[-1]["response"]["output"]]
    assert kinds == ["reasoning", "message", "reasoning", "message", *["function_call"] * 2]


def test_a_whole_answer_and_a_stream_tell_the_same() -> None:
    call = outgoing("openai_responses", {"input": "Hello.", "temperature": 0.5}, "m")
    told = Told(id="7", model="m", text="YesNo", refusal="No", reasoning="Hm.", finish="length")
    writer = SPOKE.writer(call)
    out = writer.begin(told) + writer.add(Delta("YesNo", "Hm.", "No")) + writer.end(told)
    answer = SPOKE.answer(told, call)
    assert events(out)[-1]["response"] == answer
    assert answer["temperature"] == 0.5
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert whole(b'{"error": {"message": "x"}}').error == "x"
