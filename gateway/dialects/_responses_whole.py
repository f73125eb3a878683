"""A response that comes as one body, and what it says when it may not be given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import Edit, Frame
from gateway.core.splice import splice_json
from gateway.dialects._fields import Field
from gateway.dialects._offsets import beside
from gateway.dialects._openai import error_reply
from gateway.dialects._responses import usage
from gateway.dialects._responses_kept import containers
from gateway.dialects._whole import WholeReader

# What a filtered response still says of the one that was asked for.
_SAME: Mapping[str, type] = {
    "created_at": int,
    "model": str,
    "parallel_tool_calls": bool,
    "usage": dict,
}


class WholeResponse(WholeReader):
    """keeps: whether the upstream keeps the response, so that its ids are worth noting."""

    def __init__(self, spec: Field, *, keeps: bool) -> None:
        super().__init__(spec, usage_of=usage, withheld=_withheld, group=_item_of)
        self._keeps = keeps

    def flush(self) -> list[Frame]:
        """The body as one frame."""
        frames = super().flush()
        if self._keeps and isinstance(self.value, dict):
            self.kept += ids_of(self.value)
        self.kept += containers(self.value)
        return frames

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """The body with edits made; what stands beside them follows."""
        put = beside(self.value, edits)
        if not put:
            return super().rewrite(frame, edits)
        start, end = frame.body
        return frame.raw[:start] + splice_json(frame.raw[start:end], edits, put=put)


def ids_of(response: Mapping[str, Any]) -> list[str]:
    """The ids by which a response and its items can be asked for later."""
    items = response.get("output")
    things = [response, *(items if isinstance(items, list) else ())]
    ids = [thing.get("id") for thing in things if isinstance(thing, dict)]
    return [name for name in ids if isinstance(name, str) and name]


def _item_of(path: str) -> str:
    """Each piece of content stands for itself, as it does in a stream."""
    return path


def _withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    """A response that says it was filtered, as OpenAI's own filter does; usage stays honest.

    Its id is ours: under the provider's, what was withheld could be asked for again.
    """
    if not isinstance(value, dict) or value.get("object") != "response":
        return error_reply(refusal, exchange_id, param="input")
    same = {k: value[k] for k, kind in _SAME.items() if isinstance(value.get(k), kind)}
    said = {"type": "refusal", "refusal": refusal.message}
    message = {
        "id": f"msg_{exchange_id}",
        "type": "message",
        "role": "assistant",
        "status": "incomplete",
        "content": [said],
    }
    body = {
        "id": f"resp_{exchange_id}",
        "object": "response",
        "created_at": 0,
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "error": None,
        "instructions": None,
        "metadata": {},
        "model": "",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **same,
    }
    return Reply(200, {"content-type": "application/json"}, json.dumps(body).encode())
