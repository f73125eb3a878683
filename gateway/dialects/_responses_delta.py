"""The event that a streamed response is mostly made of: it adds some text and says no more.

Read by a schema in one go. What does not fit it exactly is not read here: no field is
passed over because it is unknown.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Index = Annotated[int, Meta(ge=0)]


class Delta(Struct, forbid_unknown_fields=True, gc=False):
    """One event's data. item_id: to be compared with one that was read as text.

    obfuscation: random letters and digits, which hide the event's length.
    """

    type: Literal["response.output_text.delta"]
    item_id: str
    output_index: Index
    content_index: Index
    delta: str
    sequence_number: Index = 0
    logprobs: Annotated[list[Any], Meta(max_length=0)] | None = None
    obfuscation: Annotated[str, Meta(pattern="^(?=.*[A-Za-z])[A-Za-z0-9]{1,64}$")] | None = None


_DECODER = msgspec.json.Decoder(Delta)


def ordinary(data: bytes) -> Delta | None:
    """The event; None if this is anything else, valid or not."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
