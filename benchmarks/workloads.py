"""What is asked of a gateway: the request bodies of each workload.

The model name tells the gateway which backend to ask, and the mock upstream how to answer:
`openai-words-40` in forty words, `openai-words-100-every-5ms` word by word with a pause between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.apis import Api, all_apis
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
    api: Api

    @property
    def path(self) -> str:
        """Where it is asked."""
        return self.api.path.format(model=self._asked)

    def body(self, texts: Texts, connection: int) -> bytes:
        """The next request of this connection."""
        messages = self.messages(texts, connection)
        if self.chunks:
            value = self.api.ask(messages[-1]["content"], self._asked)
        else:
            value = {"model": self._asked, "messages": messages}
        return json.dumps(value).encode()

    @property
    def _asked(self) -> str:
        return f"{self.api.backend}-{self.model}"


def all_workloads() -> dict[str, Workload]:
    """Every workload by name, in the order in which they are run."""
    whole, streamed = "words-40", f"words-{CHUNKS}"
    paced = f"{streamed}-every-{PAUSE_MS}ms"
    apis = all_apis()
    chat = apis.pop("chat")
    listed = [
        Workload("small", "one message of 200 B", whole, 0, _small, chat),
        Workload("large", "20 messages, 40 kB, 5 % of sentences personal", whole, 0, _large, chat),
        Workload("clean", "as large, nothing personal", whole, 0, _clean, chat),
        Workload("stream", "200 B in, 100 chunks at once", streamed, CHUNKS, _small, chat),
        Workload("paced", "200 B in, 100 chunks 5 ms apart", paced, CHUNKS, _small, chat),
        Workload("turns", "the same 40 kB sent again with a new 200 B", whole, 0, _Turns(), chat),
    ]
    for api in apis.values():
        about = f"as stream, at {api.path}"
        listed.append(Workload(f"stream-{api.name}", about, streamed, CHUNKS, _small, api))
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
