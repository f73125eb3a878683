"""A client of Google's Gemini API: what it asks with, and how it reads answers."""

from __future__ import annotations

import json
from typing import Any

from tests.translation.heard import PNG, Heard

HELLO: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello."}]}]}
TALK: dict[str, Any] = {
    "system_instruction": {"parts": [{"text": "Be kind."}]},
    "contents": [
        {"role": "user", "parts": [
            {"text": "Look at this."}, {"inline_data": {"mime_type": "image/png", "data": PNG}}]},
        {"role": "model", "parts": [
            {"text": "Hm.", "thought": True},
            {"text": "I look.", "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "weather", "response": {"result": "Rain."}}}]},
        {"role": "user", "parts": [{"text": "And now?"}]},
    ],
    "tools": [{"functionDeclarations": [{
        "name": "weather", "description": "Tells it.",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    "generationConfig": {"temperature": 0.5, "topP": 0.9, "stopSequences": ["END"],
                         "maxOutputTokens": 99},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
}  # fmt: skip
JSON: dict[str, Any] = {
    "generationConfig": {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
    }
}
_ENDS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}


def whole(body: bytes) -> Heard:
    """One body: an answer, or an error."""
    value = json.loads(body)
    if "error" in value:
        assert value["error"].keys() == {"code", "message", "status"}
        return Heard(error=value["error"]["message"])
    return together([value])


def streamed(body: bytes) -> Heard:
    """Events without names."""
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    return together([json.loads(block.removeprefix("data: ")) for block in blocks])


def together(chunks: list[Any]) -> Heard:
    """What chunks say; only the last one says why it ended and what was counted."""
    heard = Heard()
    for chunk in chunks:
        (candidate,) = chunk["candidates"]
        assert (candidate["index"], candidate["content"]["role"]) == (0, "model")
        assert ("finishReason" in candidate) == ("usageMetadata" in chunk) == (chunk is chunks[-1])
        for part in candidate["content"]["parts"]:
            if "functionCall" in part:
                heard.tools.append((part["functionCall"]["name"], part["functionCall"]["args"]))
            elif not part.get("thought"):
                heard.text += part["text"]
    usage = chunks[-1]["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"]
    heard.usage = usage["promptTokenCount"], usage["candidatesTokenCount"]
    heard.finish = _ENDS[chunks[-1]["candidates"][0]["finishReason"]]
    # It has no word of its own for it.
    heard.finish = "tool_calls" if heard.tools else heard.finish
    return heard
