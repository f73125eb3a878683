"""One request through a translating backend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway import backends
from gateway.core.apis import Backend, BackendOptions
from gateway.core.calls import Outgoing
from tests.conformance.vendors import Vendors

SUFFIX = {"openai": "/v1"}


@dataclass
class Got:
    """What a client gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def backend(kind: str, url: str, dialect: str, **options: Any) -> Backend:
    options = {"credential": "sk-own", **options}
    made = backends.build(kind, BackendOptions(url=url + SUFFIX.get(kind, ""), **options))
    assert made.speaks(dialect)
    return made


def outgoing(
    dialect: str, body: dict[str, Any], model: str, *, stream: bool = False, **headers: str
) -> Outgoing:
    if dialect == "gemini":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        path = f"/v1beta/models/{model}:{verb}"
        name = "gemini_stream" if stream else "gemini"
        return Outgoing(_dumps(body), name, path, model, stream=stream, headers=headers)
    body = {"model": model, **body}
    if stream or dialect.startswith("ollama_"):
        body["stream"] = stream
    return Outgoing(_dumps(body), dialect, "/", model, stream=stream, headers=headers)


def _dumps(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def ask(kind: str, vendors: Vendors, call: Outgoing, **options: Any) -> Got:
    """Ask and read to the end."""

    async def main() -> Got:
        to = backend(kind, vendors.url, call.dialect, **options)
        try:
            answer = await to.send(call)
            try:
                body = b"".join([piece async for piece in answer.body])
            finally:
                await answer.aclose()
        finally:
            await to.aclose()
        return Got(answer.status, answer.headers, body)

    return asyncio.run(main())
