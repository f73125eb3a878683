"""Three vendors' own wire formats, saying what a test wants said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.vendors import Received, Says, events, says

EMAIL = "alice.smith@example.com"
PIECES = ("Write to alice.", "smith@exam", "ple.com, please.")
TEXT = "".join(PIECES)
ENDS = {
    "stop": ("stop", "end_turn", "STOP"),
    "length": ("length", "max_tokens", "MAX_TOKENS"),
    "content_filter": ("content_filter", "refusal", "SAFETY"),
    "tool_calls": ("tool_calls", "tool_use", "STOP"),
}


@dataclass(frozen=True)
class Tells:
    """What a model says: text in pieces, calls of tools, why it ended. 11 tokens in, 7 out."""

    pieces: tuple[str, ...] = PIECES
    tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    finish: str = "stop"
    pace_s: float = 0.001
    cut: bool = False


Vendor = Callable[[Tells], Callable[[Received], Says]]


def openai(tells: Tells) -> Callable[[Received], Says]:
    def answer(got: Received) -> Says:
        head = {"id": "chatcmpl-7", "created": 7, "model": "there"}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        calls = [
            {"index": i, "id": f"call_{i}", "type": "function",
             "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(tells.tools)
        ]  # fmt: skip
        finish = ENDS[tells.finish][0]
        if not got.json.get("stream"):
            message = {"role": "assistant", "content": "".join(tells.pieces) or None}
            if calls:
                message["tool_calls"] = calls
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return says({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant"}, None)]
        deltas += [({"content": piece}, None) for piece in tells.pieces]
        for call in calls:
            text = call["function"]["arguments"]
            first = {**call, "function": {**call["function"], "arguments": text[:3]}}
            rest = {"index": call["index"], "function": {"arguments": text[3:]}}
            deltas += [({"tool_calls": [first]}, None), ({"tool_calls": [rest]}, None)]
        deltas.append(({}, finish))
        chunks = [
            {**head, "object": "chat.completion.chunk",
             "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
            for delta, end in deltas
        ]  # fmt: skip
        chunks.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        return _told(events(*chunks, done=True, pace_s=tells.pace_s), tells)

    return answer


def anthropic(tells: Tells) -> Callable[[Received], Says]:
    def answer(got: Received) -> Says:
        head = {"id": "msg_7", "type": "message", "role": "assistant", "model": "there"}
        end = {"stop_reason": ENDS[tells.finish][1], "stop_sequence": None}
        blocks: list[dict[str, Any]] = []
        if tells.pieces:
            blocks.append({"type": "text", "text": "".join(tells.pieces)})
        blocks += [
            {"type": "tool_use", "id": f"toolu_{i}", "name": name, "input": arguments}
            for i, (name, arguments) in enumerate(tells.tools)
        ]
        if not got.json.get("stream"):
            usage = {"input_tokens": 11, "output_tokens": 7}
            return says({**head, "content": blocks, **end, "usage": usage})
        usage = {"input_tokens": 11, "output_tokens": 1}
        none = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        out: list[dict[str, Any]] = [{"type": "message_start", "message": {**head, **none}}]
        for index, block in enumerate(blocks):
            text = block["type"] == "text"
            empty = {"text": ""} if text else {"input": {}}
            start = {"type": "content_block_start", "index": index}
            out.append({**start, "content_block": {**block, **empty}})
            written = json.dumps(block.get("input"))
            parts = tells.pieces if text else (written[:3], written[3:])
            kind, key = ("text_delta", "text") if text else ("input_json_delta", "partial_json")
            out += [
                {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: part}}
                for part in parts
            ]
            out.append({"type": "content_block_stop", "index": index})
        out.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 7}})
        out.append({"type": "message_stop"})
        return _told(events(*out, named=True, pace_s=tells.pace_s), tells)

    return answer


def gemini(tells: Tells) -> Callable[[Received], Says]:
    def answer(got: Received) -> Says:
        head = {"modelVersion": "there", "responseId": "r7"}
        usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
        texts = [{"text": piece} for piece in tells.pieces]
        calls = [{"functionCall": {"name": n, "args": a}} for n, a in tells.tools]
        end = {"finishReason": ENDS[tells.finish][2]}

        def part(parts: list[Any], **more: Any) -> dict[str, Any]:
            candidate = {"index": 0, "content": {"role": "model", "parts": parts}, **more}
            return {**head, "candidates": [candidate]}

        if ":stream" not in got.path:
            whole = [{"text": "".join(tells.pieces)}] if texts else []
            return says({**part([*whole, *calls], **end), "usageMetadata": usage})
        last = {**part(calls or [{"text": ""}], **end), "usageMetadata": usage}
        return _told(events(*(part([text]) for text in texts), last, pace_s=tells.pace_s), tells)

    return answer


def error(kind: str, status: int, message: str) -> Says:
    """How each vendor says that it refuses."""
    openai_ = {"error": {"message": message, "type": "x", "param": None, "code": None}}
    bodies: dict[str, Any] = {
        "openai": openai_,
        "ollama": openai_,
        "anthropic": {"type": "error", "error": {"type": "x", "message": message}},
        "gemini": {"error": {"code": status, "message": message, "status": "X"}},
    }
    return says(bodies[kind], status)


VENDORS: dict[str, Vendor] = {
    "openai": openai,
    "ollama": openai,
    "anthropic": anthropic,
    "gemini": gemini,
}


def _told(answer: Says, tells: Tells) -> Says:
    pieces = answer.pieces[: len(answer.pieces) // 2] if tells.cut else answer.pieces
    return Says(pieces, answer.content_type, pace_s=answer.pace_s, cut=tells.cut)
