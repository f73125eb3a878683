"""Ollama's own embeddings, as its API reference and Python client of 2026 describe them."""

from __future__ import annotations

from typing import ClassVar

from gateway.core.message import Kind
from gateway.dialects._fields import Field
from gateway.dialects._ollama import REQUEST
from gateway.dialects._ollama_vectors import VectorsApi


class Member(VectorsApi):
    """The dialect."""

    name = "ollama_embed"
    paths = ("/api/embed",)
    needs: ClassVar = {"input": (str, list)}
    request = Field(fields={**REQUEST, "input": Field(kind=Kind.TEXT, role="user")})
