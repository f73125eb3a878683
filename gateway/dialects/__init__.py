"""One API's wire format a file: reading, writing, stream events, refusals."""

from __future__ import annotations

from gateway.core.apis import Dialect
from gateway.core.errors import ConfigError
from gateway.core.family import discover

GROUP = "gateway.dialects"


def load() -> dict[str, Dialect]:
    """Every dialect by name. Each member module has a class `Member`."""
    found: dict[str, Dialect] = {}
    for name, module in discover(__name__, GROUP).items():
        try:
            found[name] = module.Member()
        except AttributeError as err:
            raise ConfigError(f"dialects: {module.__name__} has no class Member.") from err
    return found
