"""OpenAI's files: what is known of one that is kept upstream, or deleting it."""

from __future__ import annotations

from gateway.dialects._files import FILE
from gateway.dialects._openai_kept import OneApi


class Member(OneApi):
    """The dialect."""

    name = "openai_files_stored"
    operation = "file"
    paths = ("GET /v1/files/{id}", "DELETE /v1/files/{id}")
    root = "/v1/files"
    answer = FILE
