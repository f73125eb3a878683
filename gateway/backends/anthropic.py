"""Any server that speaks Anthropic's dialects: Anthropic itself, and proxies of it.

Its URL goes without the version, as in https://api.anthropic.com.
"""

from __future__ import annotations

import re
from typing import ClassVar

from gateway.backends._http import HttpBackend

# One name of the open list of betas: short words, numbers and dates, as in
# context-1m-2025-08-07. No number in it is long enough to be somebody's.
_BETA = r"[a-z]{1,24}\d{0,4}(?:-(?:[a-z]{1,24}\d{0,4}|\d{1,8}[a-z]{0,4})){0,9}"


class Member(HttpBackend):
    """One such server."""

    dialects = ("anthropic_",)
    passed: ClassVar = {
        "anthropic-version": re.compile(r"\d{4}-\d{2}-\d{2}"),
        "anthropic-beta": re.compile(rf"{_BETA}(?:, ?{_BETA}){{0,39}}"),
    }
    defaults: ClassVar = {"anthropic-version": "2023-06-01"}

    def credential(self, secret: str) -> dict[str, str]:
        """The API's own header for keys."""
        return {"x-api-key": secret}
