"""What each client of OpenAI's chat API is asked to do, and what must come of it.

A row is one feature. A test marked with `covers` that takes a `row` runs once for each feature
that its mark names; it asks in its client's way and says what it heard.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.conformance import chat
from tests.conformance.vendors import Received, Says, Vendors, at_once
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET, EMAIL = BY_NAME["aws"], BY_NAME["email"]
SCHEMA = {
    "type": "object",
    "properties": {"q": {"type": "string"}},
    "required": ["q"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "find", "parameters": SCHEMA}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "find", "schema": SCHEMA, "strict": True}}
PARTS: Any = [{"type": "text", "text": "What is it?"}, chat.PICTURE]
HARMLESS = "Some harmless words come first. "
REFUSED = ("BadRequestError", 400)


@dataclass(frozen=True)
class Heard:
    """What a client returned or raised. raised: the name of the exception, and its status."""

    texts: tuple[str, ...] = ()
    tools: tuple[tuple[str, Any], ...] = ()
    finish: str = "stop"
    parsed: Any = None
    numbers: tuple[float, ...] = ()
    raised: tuple[str, int] | None = None


@dataclass(frozen=True)
class Row:
    """One feature. way: create, stream, parse or embed. begins: all that is known of a text."""

    feature: str
    way: str
    answer: Says | Callable[[Received], Says]
    hears: Heard
    content: Any = "Hi."
    asked: dict[str, Any] = field(default_factory=dict)
    begins: str = ""
    upstream: int = 1
    blocking: bool = False

    def model(self, client: str) -> str:
        """A name of its own for what this client asks."""
        return f"{client}-row-{re.sub('[^a-z0-9]+', '-', self.feature)}"

    def holds(self, heard: Heard, door: Gateway, vendors: Vendors, model: str) -> None:
        """Checks what was heard, what came to the vendor, and that it was asked once."""
        sent = vendors.of(model)
        assert len(sent) == self.upstream
        assert len(door.ends(model)) == 1
        assert SECRET.value not in repr(heard)
        assert not any(EMAIL.value.encode() in got.body for got in sent)
        if self.content is PARTS:
            assert sent[0].json["messages"][-1]["content"] == PARTS
        if self.begins:
            assert all(text.startswith(self.begins) for text in heard.texts)
            heard = replace(heard, texts=(self.begins,) * len(heard.texts))
        assert heard == self.hears


def heard_in(answer: dict[str, Any]) -> Heard:
    """A completion or an embedding, as the client gave it back."""
    if "choices" not in answer:
        return Heard(numbers=tuple(answer["data"][0]["embedding"]))
    messages = [choice["message"] for choice in answer["choices"]]
    called = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    return Heard(
        texts=tuple(message["content"] or "" for message in messages),
        tools=tuple((call["name"], json.loads(call["arguments"])) for call in called),
        finish=answer["choices"][0]["finish_reason"],
        parsed=messages[0].get("parsed"),
    )


def repeated(got: Received) -> Says:
    return chat.spoken(got.json["messages"][-1]["content"])


def looked_up(got: Received) -> Says:
    arguments = json.dumps({"q": got.json["messages"][-1]["content"]})
    return chat.completion({"tool_calls": chat.calls(arguments)}, finish="tool_calls")


_ROWS = (
    Row("unary", "create", chat.echoed, Heard((EMAIL.text,)), EMAIL.text),
    Row("streamed", "stream", repeated, Heard((EMAIL.text,)), EMAIL.text),
    Row(
        "tools",
        "create",
        looked_up,
        Heard(("",), (("find", {"q": EMAIL.text}),), "tool_calls"),
        EMAIL.text,
        asked={"tools": [TOOL]},
    ),
    Row(
        "parallel tools",
        "stream",
        chat.called('{"q": "one"}', '{"q": "two"}'),
        Heard(("",), (("find", {"q": "one"}), ("find", {"q": "two"})), "tool_calls"),
        asked={"tools": [TOOL]},
    ),
    Row(
        "structured output",
        "parse",
        chat.completion({"content": '{"q": "x"}'}),
        Heard(('{"q": "x"}',), parsed={"q": "x"}),
        asked={"response_format": FORMAT},
    ),
    Row(
        "n=2",
        "create",
        chat.completion({"content": "one"}, {"content": "two"}),
        Heard(("one", "two")),
        asked={"n": 2},
    ),
    Row("vision", "create", chat.completion({"content": "A dot."}), Heard(("A dot.",)), PARTS),
    Row("embeddings", "embed", chat.embedded, Heard(numbers=(1.0, 2.0)), EMAIL.text),
    Row("errors", "create", chat.failed(429, "slow"), Heard(raised=("RateLimitError", 429))),
    Row("blocked request", "stream", repeated, Heard(raised=REFUSED), SECRET.text, upstream=0),
    Row(
        "block before the first byte",
        "stream",
        at_once(chat.spoken(SECRET.text)),
        Heard(raised=REFUSED),
        blocking=True,
    ),
    Row(
        "block in mid-stream",
        "stream",
        chat.spoken(HARMLESS * 20 + SECRET.text + " And more." * 20),
        Heard((HARMLESS,), finish="content_filter"),
        begins=HARMLESS,
        blocking=True,
    ),
)
ROWS = {row.feature: row for row in _ROWS}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A row for each feature that the mark names, out of the module's own ROWS if it has some."""
    if "row" in metafunc.fixturenames:
        (mark,) = metafunc.definition.iter_markers("covers")
        rows = getattr(metafunc.module, "ROWS", ROWS)
        _, *features = mark.args
        ids = [feature.replace(" ", "-") for feature in features]
        metafunc.parametrize("row", [rows[feature] for feature in features], ids=ids)
