"""Gemini's `embedContent`: the embedding of one text."""

from __future__ import annotations

from typing import ClassVar

from gateway.dialects._gemini import GeminiApi, paths_of
from gateway.dialects._gemini_fields import EMBED, EMBEDDED


class Member(GeminiApi):
    """The dialect."""

    name = "gemini_embed"
    operation = "embedding"
    verb = "embedContent"
    paths = paths_of(verb)
    request = EMBED
    answer = EMBEDDED
    needs: ClassVar = {"content": (dict,)}
