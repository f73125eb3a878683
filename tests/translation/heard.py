"""An answer as a client understands it, whatever API it came in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

CANARY = "CANARY-7f3a"
PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass
class Heard:
    """What it says. usage: tokens in, tokens out."""

    text: str = ""
    tools: list[tuple[str, Any]] = field(default_factory=list)
    finish: str = ""
    usage: tuple[int, int] = (0, 0)
    error: str = ""


def events(body: bytes) -> list[Any]:
    """The values of server-sent events; their names must be their types."""
    found = []
    for block in body.decode().split("\n\n"):
        named = [line[7:] for line in block.split("\n") if line.startswith("event: ")]
        datas = [line[6:] for line in block.split("\n") if line.startswith("data: ")]
        if not datas or datas == ["[DONE]"]:
            continue
        (data,) = datas
        value = json.loads(data)
        assert not named or named == [value["type"]]
        found.append(value)
    return found
