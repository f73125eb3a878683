from __future__ import annotations

import json

import pytest

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Route
from gateway.core.message import Edit
from gateway.dialects.openai_moderations import Member

MODERATIONS = Member()
OTHER = Route("omni-moderation-latest", "other", "b", "p")


def test_a_body_without_a_model_means_the_vendors_own() -> None:
    assert MODERATIONS.read(Call(b'{"input":"x"}')).model == "omni-moderation-latest"


@pytest.mark.parametrize("model", [b"null", b'""', b"5"])
def test_a_model_that_is_no_name_is_unreadable(model: bytes) -> None:
    with pytest.raises(Unreadable):
        MODERATIONS.read(Call(b'{"input":"x","model":%b}' % model))


def test_a_backend_with_another_name_for_it_is_told() -> None:
    body = b' { "input" : "x" }\n'
    message = MODERATIONS.read(Call(body))
    sent = MODERATIONS.forward(message, {"/input": [Edit(0, 1, "y")]}, OTHER)
    assert sent == b' {"model": "other", "input" : "y" }\n'


def test_images_are_opaque_and_links_are_text() -> None:
    items = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a b"}},
    ]
    message = MODERATIONS.read(Call(json.dumps({"input": items}).encode()))
    assert [o.media_type for o in message.opaque] == ["image/png"]
    assert [p.text for p in message.parts] == ["https://example.com/a b"]
