"""litellm as a client: what it returns or raises, and how many calls were made upstream."""

from __future__ import annotations

import json
from typing import Any

import litellm
import openai
import pytest

from tests.conformance.chat import user
from tests.conformance.rows import Heard, Row, heard_in
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway


def ask(gateway: Gateway, row: Row, model: str) -> Heard:
    there: Any = {"model": f"openai/{model}", "api_base": f"{gateway.url}/v1"}
    there |= {"api_key": gateway.key, "_skip_mcp_handler": True}
    if row.way == "embed":
        return heard_in(litellm.embedding(**there, input=[row.content]).model_dump())
    asked = {**there, "messages": user(row.content), **row.asked}
    if row.way == "stream":
        pieces = list(litellm.completion(**asked, stream=True))
        return heard_in(litellm.stream_chunk_builder(pieces).model_dump())
    got = litellm.completion(**asked).model_dump()
    if row.way == "parse":
        (message,) = (choice["message"] for choice in got["choices"])
        message["parsed"] = json.loads(message["content"])
    return heard_in(got)


@pytest.mark.covers(
    "litellm",
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
def test_the_client_gets_what_the_row_says(row: Row, gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer(row.model("o-lite"), row.answer)
    try:
        heard = ask(gateway, row, model)
    except openai.APIStatusError as error:
        heard = Heard(raised=(type(error).__name__, error.status_code))
    row.holds(heard, gateway, vendors, model)
