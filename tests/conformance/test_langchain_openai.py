"""LangChain's models for OpenAI's API: what they return or raise, and what came of it upstream."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from tests.conformance.rows import Heard, Row
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway


class Find(BaseModel):
    """Find something."""

    q: str


def chat(gateway: Gateway, model: str, **more: Any) -> ChatOpenAI:
    key = SecretStr(gateway.key)
    return ChatOpenAI(model=model, base_url=f"{gateway.url}/v1", api_key=key, **more)


def ask(gateway: Gateway, row: Row, model: str) -> Heard:
    if row.way == "embed":
        return Heard(numbers=embedded(gateway, model, row.content))
    client = chat(gateway, model, **{k: v for k, v in row.asked.items() if k == "n"})
    words: list[BaseMessage] = [HumanMessage(row.content)]
    if row.way == "parse":
        how = client.with_structured_output(Find, method="json_schema", include_raw=True)
        got: Any = how.invoke(words)
        return heard_in(got["raw"], parsed=got["parsed"].model_dump())
    if row.way == "stream":
        return heard_in(streamed(client.bind_tools(row.asked.get("tools", ())), words))
    if "n" in row.asked:
        (choices,) = client.generate([words]).generations
        return Heard(tuple(choice.text for choice in choices))
    return heard_in(client.bind_tools(row.asked.get("tools", ())).invoke(words))


def embedded(gateway: Gateway, model: str, text: str) -> tuple[float, ...]:
    client = OpenAIEmbeddings(
        model=model,
        base_url=f"{gateway.url}/v1",
        api_key=SecretStr(gateway.key),
        check_embedding_ctx_length=False,
    )
    return tuple(client.embed_query(text))


def streamed(client: Any, words: list[BaseMessage]) -> AIMessage:
    first, *rest = client.stream(words)
    return sum(rest, start=first)  # type: ignore[no-any-return]


def heard_in(message: AIMessage, parsed: Any = None) -> Heard:
    assert message.invalid_tool_calls == []
    tools = tuple((call["name"], call["args"]) for call in message.tool_calls)
    return Heard((message.text,), tools, message.response_metadata["finish_reason"], parsed)


def named(error: openai.APIStatusError) -> str:
    """LangChain raises classes of its own, which are OpenAI's too."""
    return next(c.__name__ for c in type(error).__mro__ if c.__module__.startswith("openai"))


@pytest.mark.covers(
    "LangChain (OpenAI)",
    "unary",
    "streamed",
    "tools",
    "parallel tools",
    "structured output",
    "n=2",
    "vision",
    "embeddings",
    "errors",
    "blocked request",
    "block before the first byte",
    "block in mid-stream",
)
def test_the_client_gets_what_the_row_says(
    row: Row, gateway: Gateway, blocking: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer(row.model("openai-lc"), row.answer)
    door = blocking if row.blocking else gateway
    try:
        heard = ask(door, row, model)
    except openai.APIStatusError as error:
        heard = Heard(raised=(named(error), error.status_code))
    row.holds(heard, door, vendors, model)
