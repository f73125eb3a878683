"""Each entry says whom its exchange concerns, and says it to nobody without the key."""

from __future__ import annotations

import hashlib
import json

import pytest

from gateway import dialects
from gateway.core.calls import Call
from gateway.pipeline.concerned import concerned
from tests.pipeline.fakes import CHAT, WHO, Backend, Bundle, Sink, ask, chat, house


def seal(tenant: str, data: bytes) -> str:
    return hashlib.sha256(tenant.encode() + data).hexdigest()


def of(dialect: str, **fields: object) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello."}], **fields}
    message = dialects.load()[dialect].read(Call(json.dumps(body).encode()))
    return concerned(WHO, message.parts, seal)


@pytest.mark.parametrize(
    ("dialect", "fields", "named"),
    [
        ("openai_chat", {}, b"key:k1"),
        ("openai_chat", {"user": ""}, b"key:k1"),
        ("openai_chat", {"user": "k1"}, b"user:k1"),
        ("openai_chat", {"user": "anna@example.com"}, b"user:anna@example.com"),
        ("openai_responses", {"input": "Hello.", "safety_identifier": "u-7"}, b"user:u-7"),
        ("anthropic_messages", {"metadata": {"user_id": "u-7"}}, b"user:u-7"),
    ],
)
def test_an_end_user_goes_before_the_key(
    dialect: str, fields: dict[str, object], named: bytes
) -> None:
    assert of(dialect, **fields) == seal("acme", b"subject:" + named)


@pytest.mark.parametrize("body", [chat(user="anna"), b"{", chat(user="anna", model="none")])
def test_both_entries_say_whom_they_concern_by_reference_only(body: bytes) -> None:
    sink = Sink()
    ask(house(Backend(b"{}"), Bundle({}), sink=sink, seal=seal), body, dialect=CHAT)
    name = b"subject:key:k1" if body == b"{" else b"subject:user:anna"
    assert [entry.core["subject"] for entry in sink.entries] == [seal("acme", name)] * 2
    assert "anna" not in json.dumps([entry.core for entry in sink.entries])
