"""Ollama's older endpoint for the embedding of one text; its reference calls it superseded."""

from __future__ import annotations

from typing import ClassVar

from gateway.core.message import Kind
from gateway.dialects._fields import Field
from gateway.dialects._ollama import REQUEST
from gateway.dialects._ollama_vectors import VectorsApi


class Member(VectorsApi):
    """The dialect."""

    name = "ollama_embeddings"
    paths = ("/api/embeddings",)
    needs: ClassVar = {"prompt": (str,)}
    request = Field(fields={**REQUEST, "prompt": Field(kind=Kind.TEXT, role="user")})
