"""A visible notice stands under the text, and never where a program reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pipeline.fakes import (
    SSE,
    STREAMS,
    WHOLES,
    Asked,
    Bundle,
    answered,
    chat,
    cuts,
    heard,
)

ALWAYS = Bundle({"ANSWER": "label"}, notice="Written by a machine.")
NOTICE = "\n\nWritten by a machine."
JSON_MODE = {"response_format": {"type": "json_object"}}


def content(asked: Asked) -> Any:
    return json.loads(asked.body)["choices"][0]["message"]["content"]


def test_a_notice_stands_under_a_whole_answer() -> None:
    data = WHOLES["openai_text"]
    asked = answered(data, "application/json", ALWAYS)
    assert content(asked) == json.loads(data)["choices"][0]["message"]["content"] + NOTICE


@pytest.mark.parametrize("name", ["openai_text", "llamacpp_text", "vllm_reasoning", "azure_text"])
def test_a_notice_stands_under_a_streamed_answer_once(name: str) -> None:
    data = STREAMS[name]
    plain = heard(data)
    for cut in cuts(len(data)):
        body = answered(data, SSE, ALWAYS, *cut).body
        assert heard(body) == plain | {"0/content": plain["0/content"] + NOTICE}
        assert body.index(b"Written by") < body.index(b"[DONE]")


def test_every_choice_has_its_notice() -> None:
    said = heard(answered(STREAMS["openai_two_choices"], SSE, ALWAYS).body)
    assert [said[f"{i}/content"].count(NOTICE) for i in (0, 1)] == [1, 1]


def test_a_notice_for_something_found_at_the_end_is_not_missed() -> None:
    bundle = Bundle({"EMAIL_ADDRESS": "label"}, notice="Holds an address.")
    data = STREAMS["vllm_reasoning"]
    for cut in ([], range(9, len(data), 9)):
        said = heard(answered(data, SSE, bundle, *cut).body)["0/content"]
        assert said.endswith("\n\nHolds an address.")


@pytest.mark.parametrize("name", ["openai_tools", "openai_refusal"])
def test_tool_calls_and_refusals_have_no_notice(name: str) -> None:
    assert answered(STREAMS[name], SSE, ALWAYS).body == STREAMS[name]
    if name in WHOLES:
        assert answered(WHOLES[name], "application/json", ALWAYS).body == WHOLES[name]


def chunks(*deltas: dict[str, Any]) -> bytes:
    values = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    values.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return b"".join(b"data: " + json.dumps(v).encode() + b"\n\n" for v in values)


def test_text_beside_a_tool_call_has_no_notice() -> None:
    call = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}
    data = chunks({"content": "I will call f."}, call)
    assert answered(data, SSE, ALWAYS).body == data


def test_streamed_code_has_no_notice() -> None:
    data = chunks({"content": "```py\nx"}, {"content": " = 1\n```"})
    assert answered(data, SSE, ALWAYS).body == data


def test_json_mode_has_no_notice() -> None:
    for data, kind in ((STREAMS["openai_text"], SSE), (WHOLES["openai_text"], "application/json")):
        assert answered(data, kind, ALWAYS, body=chat(**JSON_MODE)).body == data


def test_code_and_errors_have_no_notice() -> None:
    code = WHOLES["openai_text"].replace(b"Write to", b"```py\\n").replace(b"later.", b"x\\n```")
    assert answered(code, "application/json", ALWAYS).body == code
    for name in ("openai_error", "proxy_error"):
        assert answered(WHOLES[name], "application/json", ALWAYS).body == WHOLES[name]
