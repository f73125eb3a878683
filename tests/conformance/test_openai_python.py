"""OpenAI's Python client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import openai
import pytest

from tests.conformance.vendors import Vendors, events
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET = BY_NAME["aws"]


def test_a_blocked_stream_raises_before_it_begins(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-blocked-stream", events(done=True))
    with gateway.sdk() as client, pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(
            model=model, stream=True, messages=[{"role": "user", "content": SECRET.text}]
        )
    assert raised.value.code == "policy_violation"
    assert SECRET.value not in str(raised.value.body)
    assert vendors.of(model) == []
