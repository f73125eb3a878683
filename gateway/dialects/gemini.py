"""Gemini's `generateContent`, as the API reference and SDK types of 2026 describe it."""

from __future__ import annotations

from typing import ClassVar

from gateway.dialects._gemini import paths_of
from gateway.dialects._gemini_fields import GENERATE, GENERATED
from gateway.dialects._gemini_text import TextApi


class Member(TextApi):
    """The dialect."""

    name = "gemini"
    operation = "chat"
    verb = "generateContent"
    paths = paths_of(verb)
    request = GENERATE
    answer = GENERATED
    needs: ClassVar = {"contents": (list, dict)}
