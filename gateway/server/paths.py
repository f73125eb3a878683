"""Paths in their one spelling, and which dialect serves which.

A server undoes percent-encoding once. What is encoded twice, or holds dots, is simply not
known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.core.apis import Dialect
from gateway.core.errors import ConfigError

# What stands where others have a method, of paths that are served over a WebSocket only.
SOCKET = "WS"

_SLASHES = re.compile(r"/{2,}")
_VERSIONS = re.compile(r"^/v1(?=/v1/)", re.IGNORECASE)
_STEP = re.compile(r"\{(\w+)(\.\.\.)?\}")
# Other places where clients look for OpenAI's API: Azure's, and base URLs without a version.
_ROOT = "/v1/"
_ALIASES = ("/openai/v1/", "/openai/", "/")


@dataclass(frozen=True, slots=True)
class Match:
    """A path that is served. path: as policies and the record call it."""

    dialect: Dialect
    path: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """A path as a dialect spells it, steps in braces, and the method by which it is served."""

    method: str
    path: str
    dialect: Dialect


class Table:
    """Every path of every dialect."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        """Raises ConfigError if two serve the same."""
        self._exact: dict[str, dict[str, Dialect]] = {}
        self._patterns: list[tuple[re.Pattern[str], str, str, Dialect]] = []
        self._dialects = list(dialects)
        seen: dict[tuple[str, str], Dialect] = {}
        for dialect in self._dialects:
            for spelt in dialect.paths:
                method, path = method_and_path(spelt)
                if (method, path) in seen:
                    other = seen[method, path].name
                    raise ConfigError(f"dialects: {dialect.name} and {other} both serve {spelt}.")
                seen[method, path] = dialect
                if "{" in path:
                    self._patterns.append((_pattern(path), method, path, dialect))
                else:
                    self._exact.setdefault(path, {})[method] = dialect

    def find(self, method: str, path: str) -> Match | None:
        """Who serves this path, as `normal` spells it; None if nobody does by this method."""
        for spelt in _spellings(path):
            lower = spelt.lower()
            dialect = self._exact.get(lower, {}).get(method)
            if dialect is not None:
                return Match(dialect, lower, {})
        for spelt in _spellings(path):
            # Steps keep the client's spelling: identifiers may tell upper from lower case.
            for pattern, verb, known, dialect in self._patterns:
                match = pattern.fullmatch(spelt) if verb == method else None
                if match:
                    return Match(dialect, known, match.groupdict())
        return None

    def methods(self, path: str) -> list[str]:
        """By which methods this path is served; by none if it is not known."""
        methods = {m for known in self._exact.values() for m in known}
        methods |= {verb for _, verb, _, _ in self._patterns}
        return sorted(method for method in methods if self.find(method, path))

    def routes(self) -> Iterator[Route]:
        """Everything that is served, aliases left out."""
        for dialect in self._dialects:
            for spelt in dialect.paths:
                yield Route(*method_and_path(spelt), dialect)

    def aliases(self, route: Route) -> list[str]:
        """Where else this is served."""
        if not route.path.startswith(_ROOT):
            return []
        others = [alias + route.path.removeprefix(_ROOT) for alias in _ALIASES]
        found = {other: self.find(route.method, other) for other in others}
        return [path for path, match in found.items() if match and match.path == route.path]

    def nearest(self, path: str) -> Dialect:
        """The dialect in which to refuse a path that is not served: whose paths are most alike.

        Where several are, OpenAI's, which most clients understand.
        """
        lower = path.lower()
        return max(
            self._dialects,
            key=lambda d: (
                max(_alike(lower, method_and_path(p)[1]) for p in d.paths),
                d.name.startswith("openai"),
            ),
        )


def normal(path: str) -> str:
    """A path in its one spelling but for case: single slashes, none at the end, one version.

    Some SDKs add the version to the base URL and some do not, so it may come twice.
    """
    return _VERSIONS.sub("", _SLASHES.sub("/", path)).rstrip("/") or "/"


def method_and_path(spelt: str) -> tuple[str, str]:
    """A dialect's path taken apart: "POST" unless it says another method."""
    method, _, path = spelt.rpartition(" ")
    return method or "POST", path


def _spellings(path: str) -> Iterable[str]:
    yield path
    lower = path.lower()
    if not lower.startswith(_ROOT):
        for alias in _ALIASES:
            if lower.startswith(alias):
                yield _ROOT + path[len(alias) :]


def _pattern(path: str) -> re.Pattern[str]:
    out, done = [], 0
    for step in _STEP.finditer(path):
        out.append(re.escape(path[done : step.start()]))
        out.append(f"(?P<{step[1]}>{'.+' if step[2] else '[^/:]+|[^/]+'})")
        done = step.end()
    out.append(re.escape(path[done:]))
    return re.compile("".join(out), re.IGNORECASE)


def _alike(path: str, known: str) -> int:
    same = 0
    for ours, theirs in zip(path.split("/")[1:], known.split("/")[1:], strict=False):
        if ours != theirs:
            break
        same += 1
    return same
