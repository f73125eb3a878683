from __future__ import annotations

import json

import pytest

from gateway.core.calls import Call
from gateway.dialects.openai_speech import Member
from tests.pipeline.fakes import Asked, Backend, Bundle, ask, house

SPEECH = Member()
CALL = Call(b'{"model":"m","input":"x","voice":"alloy"}')
SOUND = b"ID3\x04\x00\xff\xfb write to bob@example.org"


def through(backend: Backend, bundle: Bundle) -> Asked:
    return ask(house(backend, bundle), CALL, dialect=SPEECH)


def test_sound_passes_in_the_pieces_it_came_in() -> None:
    backend = Backend(SOUND, b"more", kind="audio/mpeg")
    asked = through(backend, Bundle({"EMAIL_ADDRESS": "redact"}))
    assert asked.pieces == [SOUND, b"more"]
    opaque = asked.exchange.response.coverage.opaque
    assert [(o.media_type, o.size_bytes) for o in opaque] == [("audio/mpeg", 0)]
    assert "content-length" not in asked.headers


@pytest.mark.parametrize(
    ("kind", "media"),
    [("audio/ogg; codecs=opus", "audio/*"), ("alice/x", "application/octet-stream")],
)
def test_the_record_says_what_it_was_in_our_words(kind: str, media: str) -> None:
    asked = through(Backend(SOUND, kind=kind), Bundle({}))
    assert [o.media_type for o in asked.exchange.response.coverage.opaque] in (
        [media],
        ["audio/ogg"],
    )


def test_sound_that_may_not_pass_never_begins() -> None:
    asked = through(Backend(SOUND, kind="audio/mpeg"), Bundle({"OPAQUE": "block"}))
    assert (asked.status, asked.error["code"]) == (400, "policy_violation")
    assert b"ID3" not in asked.body


def test_sound_that_breaks_off_is_not_ended_as_if_it_were_whole() -> None:
    asked = through(Backend(SOUND, kind="audio/mpeg", fail="body"), Bundle({}))
    assert asked.body == SOUND
    assert asked.exchange.cut_off


def test_an_error_is_judged() -> None:
    error = {"error": {"message": "no voice for bob@example.org"}}
    backend = Backend(json.dumps(error).encode(), status=400)
    asked = through(backend, Bundle({"EMAIL_ADDRESS": "redact"}))
    assert asked.error["message"] == "no voice for [EMAIL_ADDRESS]"
