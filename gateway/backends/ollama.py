"""An Ollama server, asked in its own dialect or in OpenAI's, which it speaks under /v1.

Its URL ends with the port, as in http://127.0.0.1:11434. Ollama asks for no credential; one
that is given goes on as a bearer, as a proxy in front of it, or Ollama's cloud, wants it.
"""

from __future__ import annotations

from gateway.backends._http import HttpBackend


class Member(HttpBackend):
    """One such server."""

    dialects = ("ollama_", "openai_chat", "openai_completions", "openai_embeddings")
