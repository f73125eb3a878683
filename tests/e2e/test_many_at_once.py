"""Many exchanges at once: nobody gets what is another's."""

from __future__ import annotations

import asyncio
import json
import re

import openai

from tests.e2e.running import Gateway
from tests.e2e.upstream import Upstream, last_user_text

COUNT = 60
ADDRESS = re.compile(r"\w+@[\w.]+\.org")


def test_no_answer_holds_what_is_another_callers(gateway: Gateway, upstream: Upstream) -> None:
    answers = asyncio.run(_all(gateway))
    for number, answer in enumerate(answers):
        assert answer == _text(number)
        assert set(ADDRESS.findall(answer)) == {_address(number), _address(COUNT + number)}
    received = [r.json["messages"][0]["content"] for r in upstream.of("up-echo-many")]
    placeholders = [word for text in received for word in re.findall(r"EMAIL_\w+", text)]
    assert len(set(placeholders)) == 2 * COUNT


def test_placeholder_of_another_exchange_is_not_restored(
    gateway: Gateway, upstream: Upstream
) -> None:
    """Also not while the other one is under way."""
    with gateway.streaming("up-slow-mine", f"{_address(7)} " * 12) as mine:
        (request,) = upstream.wait_for("up-slow-mine")
        placeholder = last_user_text(request.json).split()[0]
        assert placeholder.startswith("EMAIL_")
        for stream in (False, True):
            said = f"Whose is {placeholder}, if I am {_address(8)}?"
            answer = gateway.post("up-echo-theirs", said, stream=stream)
            text = _text_of(answer.content) if stream else answer.text
            assert f"Whose is {placeholder}, if I am {_address(8)}?" in text
        assert not request.answered
        assert _address(7) in _text_of(mine.read())


def _text_of(events: bytes) -> str:
    chunks = [json.loads(line[6:]) for line in events.splitlines() if line.startswith(b"data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


async def _all(gateway: Gateway) -> list[str]:
    async with gateway.async_sdk() as client:
        return await asyncio.gather(*(_ask(client, number) for number in range(COUNT)))


async def _ask(client: openai.AsyncOpenAI, number: int) -> str:
    said = [{"role": "user", "content": _text(number)}]
    if number % 3:
        stream = await client.chat.completions.create(
            model="up-echo-many", messages=said, stream=True
        )
        chunks = [chunk async for chunk in stream]
        return "".join(c.choices[0].delta.content or "" for c in chunks)
    answer = await client.chat.completions.create(model="up-echo-many", messages=said)
    return answer.choices[0].message.content or ""


def _address(number: int) -> str:
    return f"person{number}@mine.example.org"


def _text(number: int) -> str:
    return f"I am {_address(number)}, not {_address(COUNT + number)}. " * 2 + "Who am I?"
