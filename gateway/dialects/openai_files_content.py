"""OpenAI's files: getting what one holds, such as the answers of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader
from gateway.core.calls import Call
from gateway.core.message import Message
from gateway.dialects._binary import BinaryReader
from gateway.dialects._file_content import LINE, FileReader
from gateway.dialects._openai_kept import OneApi

_MEDIA = ("audio/", "video/", "image/")


class Member(OneApi):
    """The dialect."""

    name = "openai_files_content"
    operation = "download"
    paths = ("GET /v1/files/{id}/content",)
    root = "/v1/files"
    after = "/content"
    answer = LINE
    others = ("*/*",)

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What was kept earlier is recalled."""
        return ("retrieval",)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for sound and pictures, for a file of any kind, or for an error."""
        if status >= 400:
            return super().reader(message, status=status, content_type=content_type)
        named = content_type.strip().lower()
        if named.startswith(_MEDIA) and "svg" not in named:
            return BinaryReader(content_type, self.refuse)
        return FileReader(content_type, self.refuse)
