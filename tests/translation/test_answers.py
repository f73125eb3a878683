"""What a vendor's model says reaches a client of another vendor's API, whole or streamed."""

from __future__ import annotations

import pytest

from tests.conformance.vendors import Vendors
from tests.translation.asking import ask, outgoing
from tests.translation.clients import HELLO, hear
from tests.translation.wires import TEXT, VENDORS, Tells

# Every client against the hub as it is, and some against each vendor of litellm's: what comes
# in between, a chat completion, is the same for all of them.
PAIRS = [
    ("openai_chat", "anthropic"),
    ("openai_chat", "gemini"),
    ("anthropic_messages", "openai"),
    ("anthropic_messages", "gemini"),
    ("openai_responses", "anthropic"),
    ("openai_responses", "ollama"),
    ("gemini", "openai"),
    ("ollama_chat", "openai"),
    ("ollama_generate", "openai"),
]
STREAMS = {"ollama_chat": "application/x-ndjson", "ollama_generate": "application/x-ndjson"}
# Ollama's completion knows no tools.
calling = pytest.mark.parametrize(
    ("dialect", "kind"), [pair for pair in PAIRS if pair[0] != "ollama_generate"]
)
pairs = pytest.mark.parametrize(("dialect", "kind"), PAIRS)
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
TOOLS = (("weather", {"city": "Oslo", "days": 2}), ("post", {"to": "alice.smith@example.com"}))


@pairs
@streamed
def test_text_and_token_counts_arrive(
    vendors: Vendors, dialect: str, kind: str, stream: bool
) -> None:
    model = vendors.answer(f"text-{kind}", VENDORS[kind](Tells()))
    got = ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=stream))
    heard = hear(dialect, got.body, stream=stream)
    assert (got.status, heard.text, heard.finish) == (200, TEXT, "stop")
    assert heard.usage == (11, 7)
    assert len(vendors.of(model)) == 1
    assert STREAMS.get(dialect, "event-stream") in got.headers["content-type"] or not stream


@calling
@streamed
@pytest.mark.parametrize("pieces", [(), ("I look.",)], ids=["silent", "said"])
def test_parallel_tool_calls_arrive(
    vendors: Vendors, dialect: str, kind: str, stream: bool, pieces: tuple[str, ...]
) -> None:
    tells = Tells(pieces=pieces, tools=TOOLS, finish="tool_calls")
    model = vendors.answer(f"tools-{kind}", VENDORS[kind](tells))
    got = ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=stream))
    heard = hear(dialect, got.body, stream=stream)
    assert heard.tools == list(TOOLS)
    assert (heard.text, heard.finish) == ("".join(pieces), "tool_calls")


@pairs
@streamed
@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_the_reason_of_the_end_arrives(
    vendors: Vendors, dialect: str, kind: str, stream: bool, finish: str
) -> None:
    model = vendors.answer(f"{finish}-{kind}", VENDORS[kind](Tells(finish=finish)))
    got = ask(kind, vendors, outgoing(dialect, HELLO[dialect], model, stream=stream))
    assert hear(dialect, got.body, stream=stream).finish == finish
