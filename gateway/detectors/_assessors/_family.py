"""The members of this family, found instead of listed."""

from __future__ import annotations

from gateway.core.errors import ConfigError
from gateway.core.family import discover
from gateway.cursor import Cursor
from gateway.detectors._assessors._method import Method

PACKAGE = "gateway.detectors._assessors"
GROUP = "gateway.assessors"


def kinds() -> list[str]:
    """The names of all kinds, sorted."""
    return list(discover(PACKAGE, GROUP))


def method(kind: str, options: Cursor) -> Method:
    """How an assessor of this kind is asked. Raises ConfigError with file and line."""
    module = discover(PACKAGE, GROUP)[kind]
    build = getattr(module, "build", None)
    if build is None:
        raise ConfigError(f"{GROUP}: {module.__name__} has no function build.")
    found: Method = build(options)
    return found
