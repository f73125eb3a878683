"""Every string that the official SDK knows is judged, or stands on a list that says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

from gateway.core.calls import Call
from gateway.dialects.openai_chat import Member
from tests.dialects.walk import answered, heard, strings

# Places whose strings are not judged, and why.
ID = "an identifier made by the API"
WORD = "one of the API's own words"
PLAIN_REQUEST = {
    "/model": "looked up in the catalogue",
    "/stream": "a switch",
    "/messages/0/role": WORD,
    "/messages/0/tool_call_id": ID,
    "/messages/0/tool_calls/0/id": ID,
    "/messages/0/tool_calls/0/type": WORD,
    "/messages/0/audio/id": ID,
    "/messages/0/content/0/type": WORD,
    "/messages/0/content/0/image_url/detail": WORD,
    "/messages/0/content/0/input_audio/format": WORD,
    "/messages/0/content/0/file/file_id": ID,
    "/audio/format": WORD,
    "/audio/voice": WORD,
    "/audio/voice/id": ID,
    "/tools/0/type": WORD,
    "/tool_choice/type": WORD,
    "/response_format/type": WORD,
    "/prediction/type": WORD,
    "/modalities/0": WORD,
    "/reasoning_effort": WORD,
    "/verbosity": WORD,
    "/service_tier": WORD,
    "/prompt_cache_retention": WORD,
    "/moderation/model": WORD,
    "/moderation/policy/input/mode": WORD,
    "/moderation/policy/output/mode": WORD,
}
_VERDICTS = ("code", "model", "type", "results/0/model", "results/0/type",
             "results/0/category_applied_input_types/key/0")  # fmt: skip
PLAIN_ANSWER = {
    "/id": ID,
    "/object": WORD,
    "/model": "the name of the model that answered",
    "/obfuscation": "random letters",
    "/service_tier": WORD,
    "/system_fingerprint": ID,
    "/choices/0/finish_reason": WORD,
    "/choices/0/message/role": WORD,
    "/choices/0/message/audio/id": ID,
    "/choices/0/message/tool_calls/0/id": ID,
    "/choices/0/message/tool_calls/0/type": WORD,
    "/choices/0/delta/role": WORD,
    "/choices/0/delta/audio/id": ID,
    "/choices/0/delta/tool_calls/0/id": ID,
    "/choices/0/delta/tool_calls/0/type": WORD,
    "/choices/0/logprobs/content/0/token": "dropped when the text beside it is changed",
    "/choices/0/logprobs/content/0/top_logprobs/0/token": "as above",
    "/choices/0/logprobs/refusal/0/token": "as above",
    "/choices/0/logprobs/refusal/0/top_logprobs/0/token": "as above",
    **{f"/moderation/{side}/{at}": WORD for side in ("input", "output") for at in _VERDICTS},
}
REQUEST = dict(strings(CompletionCreateParamsNonStreaming))
ANSWER = dict(strings(ChatCompletion))
CHUNK = dict(strings(ChatCompletionChunk))


def found_in_request(value: dict[str, Any]) -> bool:
    body = {"model": "m", "messages": [], **value}
    return heard(Member().read(Call(json.dumps(body).encode())))


def found_in_answer(value: dict[str, Any], kind: str) -> bool:
    data = json.dumps({"choices": [], **value}).encode()
    return heard(answered(Member(), b"data: " + data + b"\n\n" if "event" in kind else data, kind))


def test_the_walk_sees_the_whole_of_the_types() -> None:
    for path in ("/messages/0/content/0/text", "/tools/0/function/description", "/user"):
        assert path in REQUEST
    assert "/choices/0/message/tool_calls/0/function/arguments" in ANSWER
    assert "/choices/0/delta/tool_calls/0/function/arguments" in CHUNK
    assert (len(REQUEST) > 60, len(ANSWER) > 20, len(CHUNK) > 15) == (True, True, True)


@pytest.mark.parametrize("path", REQUEST)
def test_every_string_of_a_request_is_judged_or_declared(path: str) -> None:
    if path == "/model":
        return
    assert found_in_request(REQUEST[path]) == (path not in PLAIN_REQUEST)


@pytest.mark.parametrize("path", ANSWER)
def test_every_string_of_an_answer_is_judged_or_declared(path: str) -> None:
    assert found_in_answer(ANSWER[path], "application/json") == (path not in PLAIN_ANSWER)


@pytest.mark.parametrize("path", CHUNK)
def test_every_string_of_a_chunk_is_judged_or_declared(path: str) -> None:
    assert found_in_answer(CHUNK[path], "text/event-stream") == (path not in PLAIN_ANSWER)


def test_the_lists_name_nothing_that_is_not_there() -> None:
    assert PLAIN_REQUEST.keys() <= REQUEST.keys()
    assert PLAIN_ANSWER.keys() <= ANSWER.keys() | CHUNK.keys()
