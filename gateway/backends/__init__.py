"""Where requests go on to: one kind of backend a file."""

from __future__ import annotations

from gateway.core.errors import ConfigError
from gateway.core.family import discover
from gateway.core.ports import Backend, BackendOptions

GROUP = "gateway.backends"


def kinds() -> list[str]:
    """Names of all backend kinds."""
    return list(discover(__name__, GROUP))


def build(kind: str, options: BackendOptions) -> Backend:
    """A backend of this kind. Raises ConfigError for a kind that is not known."""
    found = discover(__name__, GROUP)
    if kind not in found:
        raise ConfigError(f"backends: unknown kind {kind!r}. Known: {', '.join(found)}.")
    backend: Backend = found[kind].Member(options)
    return backend
