"""The chunk that a streamed completion is mostly made of: it adds some text and says no more.

Read by a schema in one go. What does not fit it exactly is not read here: no field is
passed over because it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Tier = Literal["auto", "default", "flex", "scale", "priority"]


class Delta(Struct, forbid_unknown_fields=True, gc=False):
    """What is added. role: whose text it is, always the model's."""

    content: str | None = None
    role: Literal["assistant"] | None = None


class Choice(Struct, forbid_unknown_fields=True):
    """One choice's part of a chunk, while the choice goes on."""

    delta: Delta
    index: Annotated[int, Meta(ge=0)]
    finish_reason: None = None
    logprobs: None = None


class Chunk(Struct, forbid_unknown_fields=True):
    """One event's data. The identifiers are the same in all events of an answer."""

    choices: list[Choice]
    object: Literal["chat.completion.chunk"]
    id: str = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | None = None
    usage: None = None
    service_tier: Tier | None = None
    obfuscation: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{0,64}$")] = ""

    def like(self, first: Mapping[str, Any]) -> bool:
        """Whether its identifiers are those of the first chunk, where they were judged."""
        return (
            self.id == first.get("id", "")
            and self.model == first.get("model", "")
            and self.system_fingerprint == first.get("system_fingerprint")
        )


_DECODER = msgspec.json.Decoder(Chunk)


def ordinary(data: bytes) -> Chunk | None:
    """The chunk; None if this is anything else, valid or not."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
