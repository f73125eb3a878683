"""What the operations on files and batches do alike: they are kept upstream under an id.

No listing is served: it would show what other tenants have there, for to the upstream all of
them are one customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal
from gateway.core.message import Frame, Message
from gateway.dialects._api import JsonApi, step
from gateway.dialects._fields import Field
from gateway.dialects._openai import error_reply
from gateway.dialects._openai_fields import ID
from gateway.dialects._whole import WholeReader

# By which members of an answer something can be asked for later.
_IDS = ("id", "output_file_id", "error_file_id")


class KeptApi(JsonApi):
    """One operation. root: where such things are kept."""

    service = "files"
    names_model = False
    root = ""
    param = "file"

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """What is reached for decides; a file alone needs no model."""
        return ""

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """There are no events."""
        return False

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """Nobody reads these answers but programs."""
        return True

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for one JSON body."""
        return WholeKept(
            self.answer,
            usage_of=lambda _: {},
            withheld=lambda _, refusal, id_: self.refuse(refusal, id_),
        )

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        return error_reply(refusal, exchange_id, param=self.param if refusal.rule else None)


class OneApi(KeptApi):
    """An operation on one thing, which the path names. after: what follows its id there."""

    request = Field(fields={"id": ID})
    after = ""

    def value_of(self, call: Call) -> dict[str, Any]:
        """Everything stands in the path, also of a POST."""
        return super().value_of(call) if call.body else {}

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The thing itself."""
        return (call.params.get("id", ""),)

    def path_of(self, call: Call) -> str:
        """Where the vendor serves this."""
        return f"{self.root}/{step(call, 'id')}{self.after}"


class WholeKept(WholeReader):
    """An answer that tells of something kept, and under which ids."""

    def flush(self) -> list[Frame]:
        """The body as one frame."""
        frames = super().flush()
        if isinstance(self.value, dict):
            ids = (self.value.get(name) for name in _IDS)
            self.kept += [name for name in ids if isinstance(name, str) and name]
        return frames


def no_listing(what: str) -> Unreadable:
    """The refusal of a listing."""
    return Unreadable(
        f"A list of {what} would show those of other tenants, so there is none here. Ask for "
        "each by its id.",
        code="listing_not_served",
        status=403,
    )
