"""What a translated call meets at the vendor's, and who makes such calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# As much of a refusal as is read.
ERROR_BYTES = 64 * 1024


@dataclass(slots=True)
class Upstream:
    """What happened at the vendor's during one call. error: the body of a refusal."""

    status: int = 0
    error: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def aclose(self) -> None:
        """End what is still open."""
        for close in self.closers:
            await close()


class Asker(Protocol):
    """Puts chat completions to one upstream. provider: what `fit` knows it by."""

    provider: str

    async def ready(self) -> None:
        """Be able to ask; takes seconds the first time, perhaps."""

    async def ask(self, asked: Mapping[str, Any], model: str, upstream: Upstream) -> Any:
        """Put one: a dict, or an iterator of them if `stream` is in it.

        A refusal of the vendor's is raised, as anything, and told in `upstream`.
        """

    async def aclose(self) -> None:
        """Close all connections."""


async def at_once(whole: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """A whole answer where a stream was asked for: not all can stream calls of tools."""
    for choice in whole.get("choices") or ():
        choice["delta"] = choice.pop("message", {})
    yield whole
