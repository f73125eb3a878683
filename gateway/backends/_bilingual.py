"""A backend that is asked in its own API where the client speaks it, else in translation."""

from __future__ import annotations

from gateway.backends._translated import Translated
from gateway.core.apis import Answer, Backend, SocketBackend
from gateway.core.calls import Outgoing
from gateway.core.errors import UpstreamError


class Bilingual:
    """Both ways to one upstream."""

    def __init__(self, native: Backend, translated: Translated) -> None:
        self._native = native
        self._translated = translated

    def speaks(self, dialect: str) -> bool:
        """Either way."""
        return self._native.speaks(dialect) or self._translated.speaks(dialect)

    async def send(self, call: Outgoing) -> Answer:
        """As it is if that can be: nothing is lost then, and it is faster."""
        native = self._native.speaks(call.dialect)
        return await (self._native if native else self._translated).send(call)

    async def connect(self, call: Outgoing) -> Answer:
        """Open a socket to the upstream's own API; there is no translation of sessions."""
        if not isinstance(self._native, SocketBackend):
            raise UpstreamError("this kind of backend opens no sockets")
        return await self._native.connect(call)

    async def aclose(self) -> None:
        """Close all connections of both."""
        await self._native.aclose()
        await self._translated.aclose()
