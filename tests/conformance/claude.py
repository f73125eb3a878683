"""What Anthropic's API answers, as tests say it: whole messages and streamed ones."""

from __future__ import annotations

from typing import Any

from tests.conformance.vendors import Says, events, says

HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
OPEN = {"stop_reason": None, "stop_sequence": None}
USAGE = {"input_tokens": 7, "output_tokens": 1}


def pieces(text: str, size: int = 5) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def message(*blocks: dict[str, Any], stop: str = "end_turn") -> Says:
    """A whole answer."""
    told = {"content": list(blocks), "stop_reason": stop, "stop_sequence": None, "usage": USAGE}
    return says({**HEAD, **told}, **{"request-id": "req_upstream"})


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def tool(number: int, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": "find", "input": value}


def streamed(*blocks: list[dict[str, Any]], stop: str = "end_turn") -> Says:
    """An answer in events. Each block is its start and its deltas."""
    out: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**HEAD, **OPEN, "content": [], "usage": USAGE}},
        {"type": "ping"},
    ]
    for index, (start, *deltas) in enumerate(blocks):
        out.append({"type": "content_block_start", "index": index, "content_block": start})
        out += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        out.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": stop, "stop_sequence": None}
    out.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 20}})
    return events(*out, {"type": "message_stop"}, named=True)


def text_block(words: str) -> list[dict[str, Any]]:
    return [text(""), *({"type": "text_delta", "text": piece} for piece in pieces(words))]


def tool_block(number: int, value: str) -> list[dict[str, Any]]:
    deltas = [{"type": "input_json_delta", "partial_json": p} for p in ["", *pieces(value)]]
    return [tool(number, {}), *deltas]


def thinking_block(words: str, signature: str) -> list[dict[str, Any]]:
    return [
        {"type": "thinking", "thinking": "", "signature": ""},
        *({"type": "thinking_delta", "thinking": piece} for piece in pieces(words)),
        {"type": "signature_delta", "signature": signature},
    ]
