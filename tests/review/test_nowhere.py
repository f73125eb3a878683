"""Where nothing can wait for a person, what would have to is refused."""

from __future__ import annotations

import json

from gateway.core.apis import Candidate
from gateway.core.judgement import Context, Route
from tests.pipeline.fakes import Backend, Bundle, ask, chat, house

ANSWER = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes, sure."}}]}'
SEEN = {"EMAIL_ADDRESS": "require_review"}


def test_without_a_queue_nothing_goes_on() -> None:
    backend = Backend(ANSWER)
    asked = ask(house(backend, Bundle(SEEN)), chat("Tell mia@x.org."))
    assert (asked.status, asked.error["code"]) == (403, "review_unavailable")
    assert backend.bodies == []


def test_an_answer_that_a_rule_wants_seen_is_withheld() -> None:
    asked = ask(house(Backend(ANSWER), Bundle({"ANSWER": "require_review"})), chat())
    assert "Yes, sure." not in asked.body.decode()
    assert asked.exchange.refusal is not None
    assert asked.exchange.refusal.code == "review_unavailable"


class Elsewhere(Bundle):
    """Wants what goes to the second backend to be seen."""

    def bind(self, context: object) -> Bundle:
        assert isinstance(context, Context)
        return Bundle(SEEN if context.route.backend == "second" else {})


def test_a_fallback_does_not_get_what_nobody_has_approved_for_it() -> None:
    first, second = Backend(b"{}", status=500), Backend(ANSWER)
    routes = [
        Candidate(Route("m", "m", name, "p"), backend)
        for name, backend in (("first", first), ("second", second))
    ]
    asked = ask(
        house(first, Elsewhere({}), route=lambda message, dialect, who: routes),
        chat("Tell mia@x.org."),
    )
    assert (asked.status, second.bodies) == (500, [])
    assert [(a.backend, a.error) for a in asked.exchange.attempts] == [
        ("first", ""),
        ("second", "review_required"),
    ]
    assert "mia@x.org" in json.loads(first.bodies[0])["messages"][0]["content"]
