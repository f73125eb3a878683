"""What is asked of a gateway: the request bodies of each workload.

The model name tells the mock upstream how to answer: `words-40` in forty words,
`words-100-every-5ms` word by word with a pause between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.texts import Texts

SMALL_CHARS = 200
LARGE_CHARS = 40_000
MESSAGES = 20
CHUNKS = 100
PAUSE_MS = 5

# A request body from (where texts come from, which connection asks).
Body = Callable[[Texts, int], bytes]


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of exchange. chunks: events with text in a streamed answer; 0 if it is whole."""

    name: str
    about: str
    model: str
    chunks: int
    messages: Callable[[Texts, int], list[dict[str, str]]]

    def body(self, texts: Texts, connection: int) -> bytes:
        """The next request of this connection."""
        value: dict[str, Any] = {"model": self.model, "messages": self.messages(texts, connection)}
        if self.chunks:
            value["stream"] = True
        return json.dumps(value).encode()


def all_workloads() -> dict[str, Workload]:
    """Every workload by name, in the order in which they are run."""
    whole, streamed = "words-40", f"words-{CHUNKS}"
    paced = f"{streamed}-every-{PAUSE_MS}ms"
    listed = (
        Workload("small", "one message of 200 B", whole, 0, _small),
        Workload("large", "20 messages, 40 kB, 5 % of sentences personal", whole, 0, _large),
        Workload("clean", "as large, nothing personal", whole, 0, _clean),
        Workload("stream", "200 B in, 100 chunks at once", streamed, CHUNKS, _small),
        Workload("paced", "200 B in, 100 chunks 5 ms apart", paced, CHUNKS, _small),
        Workload("turns", "the same 40 kB sent again with a new 200 B", whole, 0, _Turns()),
    )
    return {workload.name: workload for workload in listed}


def _small(texts: Texts, _connection: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": texts.clean(SMALL_CHARS)[:SMALL_CHARS]}]


def _large(texts: Texts, _connection: int) -> list[dict[str, str]]:
    return _conversation(texts.mixed)


def _clean(texts: Texts, _connection: int) -> list[dict[str, str]]:
    return _conversation(texts.clean)


def _conversation(text: Callable[[int], str]) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [
        {"role": roles[i % 2], "content": text(LARGE_CHARS // MESSAGES)} for i in range(MESSAGES)
    ]


class _Turns:
    """Each connection has a conversation of its own and sends all of it every time."""

    def __init__(self) -> None:
        self._history: dict[int, list[dict[str, str]]] = {}

    def __call__(self, texts: Texts, connection: int) -> list[dict[str, str]]:
        history = self._history.setdefault(connection, _conversation(texts.mixed))
        return history + _small(texts, connection)
