"""Gemini's `countTokens`: it answers in numbers, but what it counts leaves all the same."""

from __future__ import annotations

from gateway.dialects._gemini import paths_of
from gateway.dialects._gemini_fields import COUNT, COUNTED
from gateway.dialects._gemini_text import TextApi


class Member(TextApi):
    """The dialect."""

    name = "gemini_count"
    operation = "count_tokens"
    spends = False
    verb = "countTokens"
    paths = paths_of(verb)
    request = COUNT
    answer = COUNTED
