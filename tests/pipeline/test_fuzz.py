"""A session goes on, or ends in its dialect's words, whatever either side says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.damages import DAMAGES
from tests.dialects.samples import requests
from tests.fuzzing import MAIL, body_of, changed, fuzzed
from tests.pipeline.fakes import Bundle
from tests.pipeline.talking import REALTIME, SocketBackend, response, talk
from tests.server.everything import leaks

RULES = {"EMAIL_ADDRESS": "redact"}
SAID = [body for path in requests(REALTIME.name) if (body := path.read_bytes())]
HEARD = [json.dumps(event).encode() for event in response(f"Write to {MAIL}.", size=60)]


@st.composite
def odd(draw: st.DrawFn, events: list[bytes]) -> bytes:
    """One of these events, damaged or with another value in it."""
    event = draw(st.sampled_from(events))
    if draw(st.booleans()):
        return body_of(draw(changed(json.loads(event))))
    return DAMAGES[draw(st.sampled_from(sorted(DAMAGES)))](event, draw(st.integers(0, len(event))))


@fuzzed
@given(event=odd(SAID), text=st.booleans())
def test_what_a_client_says_goes_on_judged_or_is_answered(event: bytes, text: bool) -> None:
    said: Any = event.decode("utf-8", "replace") if text else event
    talked = talk(SocketBackend(), Bundle(RULES), said)
    assert talked.status == 101
    assert not any(leaks(heard) for heard in talked.backend.heard)
    errors = [told for told in talked.got if told["type"] == "error"]
    assert len(talked.backend.heard) + len(errors) == 1
    assert not any(leaks(told) for told in talked.raw)


@fuzzed
@given(events=st.lists(odd(HEARD), min_size=1, max_size=3))
def test_what_an_upstream_says_is_judged_or_ends_the_session(events: list[bytes]) -> None:
    talked = talk(SocketBackend(*events), Bundle(RULES))
    assert talked.status == 101
    assert all(isinstance(told, dict) for told in talked.got)
    assert not any(leaks(told) for told in talked.raw)
