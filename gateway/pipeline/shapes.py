"""Where in a message a text stood, in words that are the API's own and never the caller's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gateway.core.apis import Dialect

_REMEMBERED = 4_096


class Shapes:
    """The shapes of paths: "/messages/3/content" is "/messages/*/content".

    known: the names that the dialect declares; any other step becomes "*".
    """

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._seen: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """The shape of a part's path. "!*" stands for all that a string holds in JSON or base64."""
        shape = self._seen.get(path)
        if shape is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            shape = self._seen[path] = self._shape(path)
        return shape

    def _shape(self, path: str) -> str:
        outer, nested, _ = path.removesuffix("~").partition("!")
        steps = [step if step in self._known else "*" for step in outer.split("/")[1:]]
        return "/" + "/".join(steps) + ("!*" if nested else "")


def shapes_of(dialect: Dialect) -> Shapes:
    """The shapes of a dialect's paths."""
    key: Any = dialect
    return _shapes_of(key)


@lru_cache(maxsize=64)
def _shapes_of(dialect: Dialect) -> Shapes:
    return Shapes(dialect.names())
