"""What the vendors' own clients make of a held request: one call, one error, no answer."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import anthropic
import ollama
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors

from gateway import db, dialects
from gateway.core.judgement import ReviewOrder
from gateway.core.ports import Counters
from gateway.core.reviews import ReviewState
from gateway.review.desk import Desk
from gateway.review.queue import Limits, ReviewQueue
from gateway.review.store import Store
from tests.admin.house import Clock
from tests.pipeline.fakes import Backend, Bundle, Sink
from tests.review.conftest import ANSWER, AT_ONCE, REVIEWER, SOON, seals
from tests.server.conftest import Site, serving, wait_for

SAID = "Tell mia@x.org."
CLAUDE = json.dumps(
    {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Yes."}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
    }
).encode()  # fmt: skip
DIALECTS = list(dialects.load().values())


@dataclass
class Open:
    """A served door on a database, and the desk behind it."""

    site: Site
    desk: Desk
    store: Store

    @property
    def exchanges(self) -> int:
        """How many requests arrived."""
        return [entry.kind for entry in self.site.sink.entries].count("exchange.opened")

    def reviews(self) -> list[str]:
        return [r.id for r in self.store.listing(list(ReviewState), tenant="acme", limit=2)]

    def review(self) -> str:
        (only,) = self.reviews()
        return only

    def decide(self, verb: str, *given: Any) -> None:
        asyncio.run(getattr(self.desk, verb)(REVIEWER, self.review(), *given))


@pytest.fixture
def opened(sqlite_url: str) -> Iterator[Callable[..., Open]]:
    engine = db.open_engine(sqlite_url)
    clock = Clock()
    store = Store(engine, seals(), clock)
    desk = Desk(store, Sink(), Counters(), via="test")
    with serving() as serve:

        def start(answer: bytes = ANSWER, order: ReviewOrder = AT_ONCE) -> Open:
            queue = ReviewQueue(store, Sink(), clock, Counters(), Limits())
            bundle = Bundle({"EMAIL_ADDRESS": "require_review"}, order=order)
            site = serve(Backend(answer), bundle, dialects=DIALECTS, reviews=queue, clock=clock)
            return Open(site, desk, store)

        yield start
    engine.dispose()


def with_openai(url: str) -> str:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="gw_good", max_retries=5)
    with client:
        said = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": SAID}]
        )
        return said.choices[0].message.content or ""


def with_openai_responses(url: str) -> str:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="gw_good", max_retries=5) as client:
        return client.responses.create(model="m", input=SAID).output_text


def with_anthropic(url: str) -> str:
    with anthropic.Anthropic(base_url=url, api_key="gw_good", max_retries=5) as client:
        said = client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": SAID}]
        )
        return said.content[0].text  # type: ignore[union-attr]


def with_anthropic_stream(url: str) -> str:
    with (
        anthropic.Anthropic(base_url=url, api_key="gw_good", max_retries=5) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": SAID}]
        ) as stream,
    ):
        return stream.get_final_text()


def with_genai(url: str) -> str:
    retries = genai.types.HttpRetryOptions(attempts=5, initial_delay=0.01)
    options = genai.types.HttpOptions(base_url=url, retry_options=retries)
    with genai.Client(api_key="gw_good", http_options=options) as client:
        return client.models.generate_content(model="m", contents=SAID).text or ""


def with_ollama(url: str) -> str:
    client = ollama.Client(url, headers={"Authorization": "Bearer gw_good"})
    with closing(client._client):
        said = client.chat("m", messages=[{"role": "user", "content": SAID}])
    return said.message.content or ""


CLIENTS: list[tuple[Callable[[str], str], type[Exception]]] = [
    (with_openai, openai.PermissionDeniedError),
    (with_openai_responses, openai.PermissionDeniedError),
    (with_anthropic, anthropic.PermissionDeniedError),
    (with_anthropic_stream, anthropic.PermissionDeniedError),
    (with_genai, genai_errors.ClientError),
    (with_ollama, ollama.ResponseError),
]


@pytest.mark.parametrize(("ask", "error"), CLIENTS, ids=[ask.__name__ for ask, _ in CLIENTS])
def test_each_client_calls_once_and_raises_its_own_error(
    opened: Callable[..., Open], ask: Callable[[str], str], error: type[Exception]
) -> None:
    made = opened()
    with pytest.raises(error) as caught:
        ask(made.site.url)
    assert made.review() in str(caught.value)
    assert (made.exchanges, made.site.backend.bodies) == (1, [])


@pytest.mark.parametrize(("ask", "answer"), [(with_openai, ANSWER), (with_anthropic, CLAUDE)])
def test_approved_later_the_same_call_is_answered(
    opened: Callable[..., Open], ask: Callable[[str], str], answer: bytes
) -> None:
    made = opened(answer)
    with pytest.raises((openai.PermissionDeniedError, anthropic.PermissionDeniedError)):
        ask(made.site.url)
    made.decide("approve")
    assert ask(made.site.url) == "Yes."
    assert len(made.site.backend.bodies) == 1


@pytest.mark.parametrize(("ask", "answer"), [(with_openai, ANSWER), (with_anthropic, CLAUDE)])
def test_edited_it_is_the_reviewers_text_that_goes_on(
    opened: Callable[..., Open], ask: Callable[[str], str], answer: bytes
) -> None:
    made = opened(answer)
    with pytest.raises((openai.PermissionDeniedError, anthropic.PermissionDeniedError)):
        ask(made.site.url)
    made.decide("edit", {"/messages/0/content": "Tell nobody."})
    assert ask(made.site.url) == "Yes."
    assert b"Tell nobody." in made.site.backend.bodies[0]
    assert b"mia" not in made.site.backend.bodies[0]


def test_refused_a_client_reads_why(opened: Callable[..., Open]) -> None:
    made = opened()
    for _ in range(2):
        with pytest.raises(openai.PermissionDeniedError) as caught:
            with_openai(made.site.url)
        if caught.value.code == "review_required":
            made.decide("refuse", "Not to this model.")
    assert caught.value.code == "review_refused"
    assert "Not to this model." in caught.value.message


def test_a_client_that_leaves_stops_waiting(opened: Callable[..., Open]) -> None:
    made = opened(order=SOON)
    # As the vendor's client writes it: the approval is of these bytes.
    body = {"model": "m", "messages": [{"role": "user", "content": SAID}]}
    sent = json.dumps(body, separators=(",", ":"))
    with closing(http.client.HTTPConnection("127.0.0.1", made.site.port)) as client:
        key = {"authorization": "Bearer gw_good"}
        client.request("POST", "/v1/chat/completions", sent, key)
        wait_for(lambda: made.reviews() != [])
    wait_for(lambda: made.site.sink.entries[-1].kind == "exchange.closed")
    made.decide("approve")
    assert made.site.backend.bodies == []
    assert with_openai(made.site.url) == "Yes."
