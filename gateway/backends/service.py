"""A service with an API of its own, such as one that judges texts: assessors ask it, no client.

settings: `header` names the header in which its credential is shown as it is; without it, it
is a bearer's token. What is appended to its URL, whoever asks it knows.
"""

from __future__ import annotations

import re

from gateway.backends._http import HttpBackend
from gateway.core.apis import BackendOptions
from gateway.core.errors import ConfigError

_SETTINGS = ("header",)
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


class Member(HttpBackend):
    """One such service."""

    dialects = ("service",)

    def __init__(self, options: BackendOptions) -> None:
        """Raises ConfigError for settings that are not known."""
        super().__init__(options)
        unknown = sorted(options.settings.keys() - set(_SETTINGS))
        if unknown:
            raise ConfigError(
                f"service: unknown setting {unknown[0]!r}. Known: {', '.join(_SETTINGS)}."
            )
        self._header = options.settings.get("header", "")
        if self._header and not _NAME.fullmatch(self._header):
            raise ConfigError("service: 'header' must be the name of a header.")

    def credential(self, secret: str) -> dict[str, str]:
        """In the service's own header, or as a bearer's token."""
        return {self._header.lower(): secret} if self._header else super().credential(secret)
