"""Vendors that only litellm knows, saying what they were sent: a text, and a call of a tool.

Bodies as in Cohere's and Bedrock's API references (v2/chat, Converse, ConverseStream; 2026).
"""

from __future__ import annotations

import json
import re
from binascii import crc32
from collections.abc import Callable
from typing import Any

from tests.conformance.vendors import Received, Says, says
from tests.translation import wires
from tests.translation.wires import Tells

_PLACEHOLDER = re.compile(rb"EMAIL_[A-Z0-9]{6}")


def told(got: Received) -> Tells:
    """The placeholder that came in: cut in two, or as a tool's argument if there is a tool."""
    (seen,) = {found.decode() for found in _PLACEHOLDER.findall(got.body)}
    if b'"post"' in got.body:
        return Tells((), (("post", {"to": seen}),), "tool_calls")
    return Tells(("Write to ", seen[:3], seen[3:], "."))


def cohere(got: Received) -> Says:
    tells, usage = told(got), {"tokens": {"input_tokens": 11, "output_tokens": 7}}
    calls: list[dict[str, Any]] = [
        {"id": f"t{i}", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
        for i, (n, a) in enumerate(tells.tools)
    ]
    if not got.json.get("stream"):
        content = [{"type": "text", "text": "".join(tells.pieces)}] if tells.pieces else None
        message = {"role": "assistant", "content": content, "tool_calls": calls or None}
        end = "TOOL_CALL" if calls else "COMPLETE"
        return says({"id": "c7", "message": message, "finish_reason": end, "usage": usage})
    return says({"message": "asked for a stream that litellm cannot read"}, 500)


def bedrock(got: Received) -> Says:
    tells = told(got)
    usage = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
    end = "tool_use" if tells.tools else "end_turn"
    uses: list[tuple[dict[str, Any], Any]] = [
        ({"toolUseId": f"t{i}", "name": n}, a) for i, (n, a) in enumerate(tells.tools)
    ]
    if not got.path.endswith("-stream"):
        content = [{"toolUse": {**use, "input": arguments}} for use, arguments in uses]
        content = content or [{"text": "".join(tells.pieces)}]
        message = {"role": "assistant", "content": content}
        whole = {"output": {"message": message}, "stopReason": end, "usage": usage}
        return says({**whole, "metrics": {"latencyMs": 1}})
    out = [_frame("messageStart", {"role": "assistant"})]
    for piece in tells.pieces:
        out += [_frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})]
    for i, (use, arguments) in enumerate(uses):
        at = {"contentBlockIndex": i}
        given = {"toolUse": {"input": json.dumps(arguments)}}
        out += [
            _frame("contentBlockStart", {**at, "start": {"toolUse": use}}),
            _frame("contentBlockDelta", {**at, "delta": given}),
            _frame("contentBlockStop", at),
        ]
    out.append(_frame("messageStop", {"stopReason": end}))
    out.append(_frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
    return Says(out, "application/vnd.amazon.eventstream")


def _frame(kind: str, value: Any) -> bytes:
    """One message of Amazon's event streams: lengths, headers, payload, and sums over them."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    heads = b"".join(
        bytes([len(k)]) + k.encode() + b"\7" + len(v).to_bytes(2, "big") + v.encode()
        for k, v in named.items()
    )
    payload = json.dumps(value).encode()
    sizes = (16 + len(heads) + len(payload), len(heads))
    prelude = b"".join(size.to_bytes(4, "big") for size in sizes)
    prelude += crc32(prelude).to_bytes(4, "big")
    whole = prelude + heads + payload
    return whole + crc32(whole).to_bytes(4, "big")


def mistral(got: Received) -> Says:
    return wires.openai(told(got))(got)


def vertex(got: Received) -> Says:
    return wires.gemini(told(got))(got)


# By the model's name as the vendor sees it.
CLOUDS: dict[str, Callable[[Received], Says]] = {
    "command-said": cohere,
    "amazon.nova-lite-v1:0": bedrock,
    "mistral-said": mistral,
    "gemini-said": vertex,
}
