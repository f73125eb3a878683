"""Google's Gemini API, for backends that do not speak it: what is asked.

Members may be spelt in camelCase or in snake_case, as protocol buffers' JSON mapping allows.
Fields: https://ai.google.dev/api/generate-content and the SDK's types (2026).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

from gateway.backends._spokes import _gemini_schema as schemas
from gateway.backends._spokes._gemini import STATUSES, ChunkWriter, chunk, parts_of
from gateway.backends._spokes._matched import Calls
from gateway.backends._spokes._shape import (
    body_of,
    dumps,
    function,
    image,
    objects,
    only,
    schema,
    tool_call,
    unknown,
    untranslatable,
    usual,
)
from gateway.backends._spokes._told import Told
from gateway.core.calls import Outgoing

_LATER = re.compile(r"_([a-z])")
_READ = ("contents", "systemInstruction", "tools", "toolConfig", "safetySettings",
         "generationConfig")  # fmt: skip
# The path says which model; labels say who asks.
_LEFT_OUT = ("model", "labels")
# generationConfig: what has the same meaning under another name.
_SAME = {
    "temperature": "temperature", "topP": "top_p", "topK": "top_k", "seed": "seed",
    "maxOutputTokens": "max_tokens", "stopSequences": "stop",
    "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
}  # fmt: skip
_USUAL = {"candidateCount": 1, "responseLogprobs": False, "logprobs": 0,
          "responseModalities": ["TEXT"]}  # fmt: skip
_FORMS = ("responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema")
# The vendor's own filters cannot be had elsewhere; that they be off can.
_OFF = ("BLOCK_NONE", "OFF", "HARM_BLOCK_THRESHOLD_UNSPECIFIED")
_NO_LEVEL = "thinking_level_unspecified"
_LEVELS = ("minimal", "low", "medium", "high")
_MODES = {"AUTO": "auto", "MODE_UNSPECIFIED": "auto", "ANY": "required", "NONE": "none"}
_DECLARED = ("name", "description", "parameters", "parametersJsonSchema")
# A part is one of these.
_DATA = ("text", "inlineData", "functionCall", "functionResponse")
_PART = (*_DATA, "thought", "thoughtSignature")


class Member:
    """The spoke, for both operations: the dialect says whether there is a stream."""

    def ask(self, call: Outgoing) -> dict[str, Any]:
        """The request as a chat completion."""
        body = _members(body_of(call), (*_READ, *_LEFT_OUT), "the request")
        _filters(body.get("safetySettings"))
        asked = _generation(body.get("generationConfig", {}))
        asked["messages"] = _messages(body)
        tools = [tool for group in _list(body.get("tools"), "tools") for tool in _tools(group)]
        if tools:
            asked["tools"] = tools
            asked |= _choice(body.get("toolConfig", {}))
        return asked

    def answer(self, told: Told, call: Outgoing) -> dict[str, Any]:
        """A GenerateContentResponse."""
        return chunk(told, parts_of(told), ended=True)

    def writer(self, call: Outgoing) -> ChunkWriter:
        """Chunks, as events if the path asks for them, else as one JSON array."""
        query = parse_qs(call.path.partition("?")[2])
        return ChunkWriter(events=query.get("alt") == ["sse"])

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Google's error."""
        word = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        return {"error": {"code": status, "message": message, "status": word}}


def _members(value: Any, known: Collection[str], where: str) -> dict[str, Any]:
    """`only`, however the members are spelt."""
    if not isinstance(value, Mapping):
        return only(value, known, where)
    return only({_camel(key): member for key, member in value.items()}, known, where)


def _camel(key: str) -> str:
    return _LATER.sub(lambda found: found[1].upper(), key)


def _list(value: Any, where: str) -> list[dict[str, Any]]:
    """One object stands for a list of one."""
    return objects([value] if isinstance(value, dict) else value, where)


def _messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if "systemInstruction" in body:
        messages.append({"role": "system", "content": _words(body["systemInstruction"])})
    calls = Calls()
    for content in _list(body.get("contents"), "contents"):
        turn = _members(content, ("role", "parts"), "contents")
        parts = [_part(p) for p in _list(turn.get("parts"), "parts")]
        role = turn.get("role", "user")
        if role == "model":
            messages.append(_said(parts, calls))
        elif role in ("user", "function"):
            messages += _asked(parts, calls)
        else:
            raise untranslatable("The role of a message")
    return messages


def _part(value: dict[str, Any]) -> dict[str, Any]:
    part = _members(value, _PART, "a part")
    if len(part.keys() & set(_DATA)) > 1 or not isinstance(part.get("text", ""), str):
        raise untranslatable("A part that is several things")
    return part


def _words(instruction: Any) -> str:
    """A system instruction: a content, or just its text."""
    if isinstance(instruction, str):
        return instruction
    content = _members(instruction, ("role", "parts"), "systemInstruction")
    parts = [_part(p) for p in _list(content.get("parts"), "systemInstruction")]
    if any("text" not in part for part in parts):
        raise untranslatable("'systemInstruction' that is no text")
    return "\n\n".join(part["text"] for part in parts)


def _said(parts: list[dict[str, Any]], calls: Calls) -> dict[str, Any]:
    text = ""
    made: list[dict[str, Any]] = []
    for part in parts:
        if part.get("thought") is True:
            # What another model thought is no part of what it said.
            continue
        if "functionCall" in part:
            asked = _members(part["functionCall"], ("id", "name", "args"), "a functionCall")
            id_ = calls.call(asked.get("name"), asked.get("id"))
            made.append(tool_call(id_, asked.get("name"), dumps(asked.get("args", {}))))
        elif "text" in part:
            text += part["text"]
        elif part.keys() - {"thoughtSignature"}:
            raise untranslatable("Content that no user gave")
    message: dict[str, Any] = {"role": "assistant", "content": text}
    return {**message, "content": text or None, "tool_calls": made} if made else message


def _asked(parts: list[dict[str, Any]], calls: Calls) -> list[dict[str, Any]]:
    """Results of tools are messages of their own there, before what is said beside them."""
    results: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    for part in parts:
        if "functionResponse" in part:
            known = ("id", "name", "response", "parts")
            result = _members(part["functionResponse"], known, "a functionResponse")
            id_ = calls.result(result.get("name"), result.get("id"))
            text = dumps(result.get("response", {}))
            results.append({"role": "tool", "tool_call_id": id_, "content": text})
            more = _list(result.get("parts"), "a functionResponse")
            shown += [_inline(_members(p, ("inlineData",), "a functionResponse")) for p in more]
        elif "functionCall" in part:
            raise untranslatable("A functionCall that is the user's")
        elif "text" in part:
            shown.append({"type": "text", "text": part["text"]})
        else:
            shown.append(_inline(part))
    return [*results, *([{"role": "user", "content": shown}] if shown else [])]


def _inline(part: dict[str, Any]) -> dict[str, Any]:
    known = ("mimeType", "data", "displayName")
    data = _members(part.get("inlineData"), known, "inlineData")
    media = str(data.get("mimeType"))
    if media.startswith("image/"):
        return image(media, data.get("data"))
    if media == "application/pdf":
        name = data.get("displayName", "document.pdf")
        held = f"data:{media};base64,{data.get('data')}"
        return {"type": "file", "file": {"filename": name, "file_data": held}}
    raise untranslatable("A medium that is neither an image nor a PDF")


def _generation(value: Any) -> dict[str, Any]:
    config = _members(
        value, (*_SAME, *_USUAL, *_FORMS, "thinkingConfig"), "generationConfig"
    )  # fmt: skip
    usual(config, _USUAL, "generationConfig")
    asked = {name: config[key] for key, name in _SAME.items() if key in config}
    thinking = _members(
        config.get("thinkingConfig", {}),
        ("thinkingBudget", "includeThoughts", "thinkingLevel"),
        "thinkingConfig",
    )
    level = str(thinking.get("thinkingLevel", _NO_LEVEL)).lower()
    if level in _LEVELS:
        asked["reasoning_effort"] = level
    elif level != _NO_LEVEL:
        raise untranslatable("'thinkingLevel' in thinkingConfig")
    return asked | _form(config)


def _form(config: dict[str, Any]) -> dict[str, Any]:
    media = config.get("responseMimeType", "text/plain")
    for key in _FORMS[1:]:
        if key in config:
            wanted = config[key]
            if key == "responseSchema":
                wanted = schemas.plain(wanted)
            return {"response_format": schema("answer", wanted)}
    if media == "application/json":
        return {"response_format": {"type": "json_object"}}
    if media != "text/plain":
        raise untranslatable("'responseMimeType' in generationConfig")
    return {}


def _tools(group: dict[str, Any]) -> list[dict[str, Any]]:
    declared = _members(group, ("functionDeclarations",), "a tool")
    made = []
    for value in _list(declared.get("functionDeclarations"), "functionDeclarations"):
        tool = _members(value, _DECLARED, "a functionDeclaration")
        parameters = tool.get("parametersJsonSchema")
        if parameters is None and "parameters" in tool:
            parameters = schemas.plain(tool["parameters"])
        made.append(function(tool.get("name"), tool.get("description"), parameters))
    return made


def _choice(value: Any) -> dict[str, Any]:
    config = _members(value, ("functionCallingConfig",), "toolConfig")
    calling = _members(
        config.get("functionCallingConfig", {}), ("mode", "allowedFunctionNames"), "toolConfig"
    )
    mode = str(calling.get("mode", "AUTO")).upper()
    allowed = calling.get("allowedFunctionNames") or []
    if mode not in _MODES:
        raise unknown(mode, "A choice of tools")
    if len(allowed) == 1 and mode == "ANY":
        return {"tool_choice": {"type": "function", "function": {"name": allowed[0]}}}
    if allowed:
        raise untranslatable("'allowedFunctionNames' of several names")
    return {"tool_choice": _MODES[mode]} if "mode" in calling else {}


def _filters(value: Any) -> None:
    for setting in _list(value, "safetySettings"):
        known = ("category", "threshold", "method")
        if _members(setting, known, "safetySettings").get("threshold") not in _OFF:
            raise untranslatable("'safetySettings' that are not off")
