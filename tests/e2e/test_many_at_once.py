"""Many exchanges at once: nobody gets what is another's."""

from __future__ import annotations

import asyncio
import re

import openai

from tests.e2e.running import Gateway
from tests.e2e.upstream import Upstream

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
