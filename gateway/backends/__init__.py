"""Where requests go on to: one kind of backend a file."""

from __future__ import annotations

from gateway.backends import _litellm
from gateway.backends._bilingual import Bilingual
from gateway.backends._direct import Direct
from gateway.backends._translated import SPOKES, Translated
from gateway.backends._vendors import DIRECT, KINDS, by_token, there
from gateway.core.apis import Backend, BackendOptions
from gateway.core.errors import ConfigError
from gateway.core.family import discover

GROUP = "gateway.backends"
# These speak no dialect themselves, so nothing works without litellm.
ALWAYS_TRANSLATED = ("litellm",)
# These are translated for without litellm.
HUB_SPEAKING = DIRECT
TRANSLATABLE = (*KINDS, *ALWAYS_TRANSLATED)
# Dialects whose requests can be told in another API.
TOLD = frozenset(SPOKES)
INSTALL = _litellm.INSTALL


def kinds() -> list[str]:
    """Names of all backend kinds."""
    return list(discover(__name__, GROUP))


def build(kind: str, options: BackendOptions) -> Backend:
    """A backend of this kind, which translates what it does not speak if it can.

    Raises ConfigError for a kind that is not known.
    """
    found = discover(__name__, GROUP)
    if kind not in found:
        raise ConfigError(f"backends: unknown kind {kind!r}. Known: {', '.join(found)}.")
    backend: Backend = found[kind].Member(options)
    if kind in DIRECT:
        return Bilingual(backend, Translated(Direct(backend, kind), options))
    if kind in KINDS and translates():
        asked = there(kind, options)
        vendor = _litellm.Vendor(kind, asked, by_token=by_token(kind, options))
        return Bilingual(backend, Translated(vendor, asked))
    return backend


def translates() -> bool:
    """Whether what translation needs is installed."""
    return _litellm.installed()


def load_translation() -> None:
    """Import it: takes seconds. Raises ConfigError if it is not installed."""
    _litellm.load()
