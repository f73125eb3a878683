"""A streamed message of Anthropic's as its client sees it, strict about the order of events."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each names its type twice, and alike."""
    found = []
    text = body.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for event in text.split("\n\n"):
        lines = [line.split(":", 1) for line in event.split("\n") if line and line[0] != ":"]
        if lines:
            named = {name: data.strip() for name, data in lines}
            value = json.loads(named["data"])
            assert named["event"] == value["type"]
            found.append(value)
    return found


def said(body: bytes) -> dict[str, str]:
    """Each text of the message by block and member, pieces put together.

    Asserts what clients rely on: one start, blocks counted from 0 and ended before the next,
    nothing behind the end.
    """
    texts: dict[str, str] = defaultdict(str)
    open_block, blocks, over = -1, 0, False
    for event in events(body):
        assert not over
        match event["type"]:
            case "message_start":
                assert not texts["begun"]
                texts["begun"] = "yes"
            case "content_block_start":
                assert (open_block, event["index"]) == (-1, blocks)
                open_block, blocks = blocks, blocks + 1
                _pieces(event["content_block"], event["index"], texts)
            case "content_block_delta":
                assert event["index"] == open_block
                _pieces(event["delta"], event["index"], texts)
            case "content_block_stop":
                assert event["index"] == open_block
                open_block = -1
            case "message_delta":
                assert open_block == -1
                texts["stop_reason"] = event["delta"]["stop_reason"]
            case "message_stop" | "error":
                over = True
    return dict(texts)


def _pieces(value: dict[str, Any], index: int, texts: dict[str, str]) -> None:
    for name, piece in value.items():
        if isinstance(piece, str) and name not in ("type", "id"):
            texts[f"{index}/{name}"] += piece
