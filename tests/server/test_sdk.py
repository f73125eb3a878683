"""The official OpenAI client, changed only in base URL and key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from tests.pipeline.fakes import SSE, STREAMS, WHOLES, Backend
from tests.server.conftest import Site

Serve = Callable[..., Site]
RULES = {"KEY": "block", "EMAIL_ADDRESS": "redact"}
CLEAN = {"EMAIL_ADDRESS": "redact", "KEY": "redact"}


class Client:
    """Counts the calls that an SDK client really makes."""

    def __init__(self, site: Site, key: str = "gw_good") -> None:
        self.calls = 0
        self.site = site
        self.client = openai.OpenAI(base_url=f"{site.url}/v1", api_key=key)
        self.client._client.event_hooks["request"] = [self._count]

    def _count(self, request: object) -> None:
        self.calls += 1

    def ask(self, text: str = "Hello.", **fields: Any) -> Any:
        return self.client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], **fields
        )


@pytest.fixture
def client(serve: Serve) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(
        *pieces: bytes, kind: str = "application/json", rules: Any = None, **how: Any
    ) -> Client:
        key = how.pop("key", "gw_good")
        made.append(Client(serve(Backend(*pieces, kind=kind, **how), rules or CLEAN), key))
        return made[-1]

    yield make
    for one in made:
        one.client.close()


def test_unary(client: Callable[..., Client]) -> None:
    answer = client(WHOLES["openai_text"]).ask()
    assert answer.choices[0].message.content == (
        "Write to [EMAIL_ADDRESS] or use [KEY], not later."
    )
    assert answer.usage.total_tokens == 25
    assert answer._request_id


def test_stream(client: Callable[..., Client]) -> None:
    data = STREAMS["openai_text"]
    pieces = [data[i : i + 100] for i in range(0, len(data), 100)]
    chunks = list(client(*pieces, kind=SSE).ask(stream=True))
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == "Write to [EMAIL_ADDRESS] or use [KEY], not later."
    assert chunks[-1].usage.total_tokens == 25


def test_streamed_tool_calls(client: Callable[..., Client]) -> None:
    made = client(STREAMS["openai_tools"], kind=SSE).client.chat.completions
    with made.stream(model="m", messages=[{"role": "user", "content": "x"}]) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert [json.loads(c.function.arguments) for c in calls] == [
        {"to": "[EMAIL_ADDRESS]", "body": 'use "[KEY]" — now', "cc": []},
        {"line": "sent to [EMAIL_ADDRESS]"},
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_request_is_one_call_and_a_bad_request(
    client: Callable[..., Client], stream: bool
) -> None:
    made = client(b"{}", rules=RULES)
    with pytest.raises(openai.BadRequestError) as caught:
        made.ask("key-0a1b2c3d", stream=stream)
    assert (made.calls, made.site.backend.bodies) == (1, [])
    assert (caught.value.code, caught.value.param) == ("policy_violation", "messages")
    assert caught.value.request_id


def test_a_blocked_answer_is_one_call_and_filtered(client: Callable[..., Client]) -> None:
    made = client(WHOLES["openai_text"], rules=RULES)
    answer = made.ask()
    assert made.calls == 1
    assert (answer.choices[0].finish_reason, answer.choices[0].message.content) == (
        "content_filter", None,
    )  # fmt: skip


def test_a_stream_blocked_in_the_middle_is_one_call_and_filtered(
    client: Callable[..., Client],
) -> None:
    data = STREAMS["openai_text"]
    made = client(*(data[i : i + 100] for i in range(0, len(data), 100)), kind=SSE, rules=RULES)
    chunks = list(made.ask(stream=True))
    assert made.calls == 1
    assert chunks[-1].choices[0].finish_reason == "content_filter"


def test_a_stream_that_breaks_is_one_call_and_an_error(client: Callable[..., Client]) -> None:
    made = client(STREAMS["llamacpp_text"][:400], kind=SSE, fail="body")
    with pytest.raises(openai.APIError, match="broke off"):
        list(made.ask(stream=True))
    assert made.calls == 1


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"key": "gw_bad"}, openai.AuthenticationError),
        ({"model": "none"}, openai.NotFoundError),
        ({"fail": "head"}, openai.InternalServerError),
    ],
)
def test_each_refusal_is_one_call_and_its_own_exception(
    client: Callable[..., Client], how: dict[str, Any], error: type[openai.APIError]
) -> None:
    model = how.pop("model", "m")
    made = client(b"{}", **how)
    with pytest.raises(error):
        made.client.chat.completions.create(model=model, messages=[])
    assert made.calls == 1


def test_models(client: Callable[..., Client]) -> None:
    made = client(b"{}").client
    assert [m.id for m in made.models.list()] == ["m"]
    assert made.models.retrieve("m").owned_by == "p"
