"""OpenAI chat completions, as the API reference and SDK types of 2026 describe them.

Also what every OpenAI-compatible server speaks; fields of theirs that are not declared
here are judged and passed on untouched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Kind, Message
from gateway.dialects._chat_stream import ChatStream
from gateway.dialects._counted import CountedApi
from gateway.dialects._fields import TEXT, Field, exempt, model_name, plain, tokens
from gateway.dialects._openai import choice_of, error_reply, logprobs, usage
from gateway.dialects._reached import anywhere
from gateway.dialects._whole import WholeReader

_ID = plain("an identifier made by the API")
_ENUM = plain("one of the API's own words")

_FUNCTION = Field(
    tool="name",
    fields={"name": TEXT, "arguments": Field(kind=Kind.TOOL_ARGUMENTS, json=True)},
)
_TOOL_CALLS = Field(
    items=Field(
        kind=Kind.TOOL_ARGUMENTS,
        fields={
            "index": plain("a number"),
            "id": _ID,
            "type": _ENUM,
            "function": _FUNCTION,
            "custom": Field(tool="name", fields={"name": TEXT, "input": TEXT}),
        },
    )
)
_CONTENT_ITEM = Field(
    fields={
        "type": _ENUM,
        "text": TEXT,
        "refusal": Field(kind=Kind.REFUSAL),
        "image_url": Field(fields={"url": TEXT, "detail": _ENUM}),
        "input_audio": Field(fields={"data": Field(media="audio/*"), "format": _ENUM}),
        "file": Field(
            fields={
                "file_data": Field(media="application/octet-stream"),
                "file_id": _ID,
                "filename": TEXT,
            }
        ),
    }
)
_MESSAGE = Field(
    kind=Kind.TEXT,
    role_member="role",
    fields={
        "role": _ENUM,
        "content": Field(items=_CONTENT_ITEM),
        "refusal": Field(kind=Kind.REFUSAL),
        "reasoning": Field(kind=Kind.REASONING),
        "reasoning_content": Field(kind=Kind.REASONING),
        "name": TEXT,
        "tool_calls": _TOOL_CALLS,
        "tool_call_id": _ID,
        "function_call": _FUNCTION,
        "audio": Field(fields={"id": _ID, "data": Field(media="audio/*"), "transcript": TEXT}),
    },
)
_TOOL = Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM})
# Declared so that their names are not judged as a caller's words.
# fmt: off
_NUMBERS = (
    "frequency_penalty", "logprobs", "max_completion_tokens", "max_tokens", "min_p", "n",
    "parallel_tool_calls", "presence_penalty", "repetition_penalty", "seed", "store", "stream",
    "temperature", "top_k", "top_logprobs", "top_p",
)
# fmt: on
REQUEST = Field(
    fields={
        "model": exempt("the model's name, looked up in the catalogue"),
        "messages": Field(items=_MESSAGE),
        "tools": Field(items=_TOOL),
        "functions": Field(items=_TOOL),
        "tool_choice": Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM}),
        "function_call": Field(kind=Kind.TOOL_DEFINITION),
        "response_format": Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM}),
        "prediction": Field(kind=Kind.TEXT, fields={"type": _ENUM, "content": TEXT}),
        "stop": TEXT,
        "user": TEXT,
        "modalities": _ENUM,
        "moderation": plain("the provider's own filter, and its model"),
        "audio": plain("format and voice of the answer"),
        "logit_bias": plain("token numbers and weights"),
        "stream_options": plain("switches"),
        "reasoning_effort": _ENUM,
        "verbosity": _ENUM,
        "service_tier": _ENUM,
        "prompt_cache_retention": _ENUM,
        **dict.fromkeys(_NUMBERS, plain("numbers and switches")),
    }
)
_LOGPROBS = tokens("dropped when the text beside them is changed")
_HEAD = {
    "id": _ID,
    "object": _ENUM,
    "created": plain("a time"),
    "model": model_name("the name of the model that answered"),
    "system_fingerprint": _ID,
    "service_tier": _ENUM,
    "usage": plain("token counts"),
    "moderation": Field(plain="verdicts of the provider's own filter", fields={"message": TEXT}),
    "error": Field(
        kind=Kind.ERROR, fields={"message": TEXT, "type": _ENUM, "code": _ENUM, "param": _ENUM}
    ),
}
_CHOICE = {"index": plain("a number"), "finish_reason": _ENUM, "logprobs": _LOGPROBS}
ANSWER = Field(
    fields={**_HEAD, "choices": Field(items=Field(fields={**_CHOICE, "message": _MESSAGE}))}
)
_DELTA = replace(_MESSAGE, streamed=True)
CHUNK = Field(
    fields={
        **_HEAD,
        "obfuscation": plain("random letters that hide how long a chunk is"),
        "choices": Field(items=Field(fields={**_CHOICE, "delta": _DELTA})),
    }
)


class Member(CountedApi):
    """The dialect."""

    name = "openai_chat"
    operation = "chat"
    paths = ("/v1/chat/completions",)
    request = REQUEST
    answer = ANSWER
    events = CHUNK
    needs: ClassVar = {"messages": (list,)}

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Files, and what the model said aloud in an earlier turn."""
        return anywhere(
            value,
            ("messages", "*", "content", "*", "file", "file_id"),
            ("messages", "*", "audio", "id"),
        )

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """JSON mode and structured output."""
        output = value.get("response_format")
        return isinstance(output, dict) and output.get("type") != "text"

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return ChatStream(CHUNK, unasked=message.uncounted)
        return WholeReader(
            ANSWER,
            usage_of=usage,
            withheld=withheld,
            drop=logprobs,
            group=choice_of,
            kept_of=lambda value: anywhere(value, ("choices", "*", "message", "audio", "id")),
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        param = "model" if refusal.code == "model_not_found" else None
        if refusal.rule:
            param = "messages"
        return error_reply(refusal, exchange_id, param=param)


def withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    """A completion that says it was filtered, as OpenAI's own filter does; usage stays honest."""
    if not isinstance(value, dict) or "choices" not in value:
        return error_reply(refusal, exchange_id)
    message = {"role": "assistant", "content": None, "refusal": refusal.message}
    body = {
        "id": f"chatcmpl-{exchange_id}",
        "object": "chat.completion",
        "created": value.get("created") if isinstance(value.get("created"), int) else 0,
        "model": value.get("model") if isinstance(value.get("model"), str) else "",
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "content_filter"}
        ],
    }
    if isinstance(value.get("usage"), dict):
        body["usage"] = value["usage"]
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())
