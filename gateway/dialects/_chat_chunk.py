"""The chunk that a streamed completion is mostly made of: it adds some text and says no more.

Read by a schema in one go. What does not fit it exactly is not read here: no field is
passed over because it is unknown.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct


class Delta(Struct, forbid_unknown_fields=True, gc=False):
    """What is added. role: whose text it is, always the model's."""

    content: str | None = None
    role: str | None = None


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


_DECODER = msgspec.json.Decoder(Chunk)


def ordinary(data: bytes) -> Chunk | None:
    """The chunk; None if this is anything else, valid or not."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
