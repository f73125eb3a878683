"""YAML files whose every value remembers the line it stands on.

For what operators write: policies, catalogue, pattern packs, settings. Knows nothing of
their meaning.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.resolver import Resolver

from gateway.core.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_VALUES = 200_000

# What the loader raises for `!!int ""`, `!!bool x` and `!!timestamp x`, besides its own errors.
_MISREAD = (ValueError, OverflowError, LookupError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value, and the line of each value by path.

    lines: path as a tuple of keys and indexes -> line number from 1. columns: of texts that
    stand in the file on one line as they are, where they begin, from 1.
    """

    path: str
    value: Any
    lines: dict[tuple[str | int, ...], int]
    columns: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def error(self, at: tuple[str | int, ...], message: str) -> ConfigError:
        """A ConfigError that names file and line of the value at `at`, or of its nearest parent."""
        while at and at not in self.lines:
            at = at[:-1]
        return ConfigError(f"{self.path}:{self.lines.get(at, 1)}: {message}")


def load(path: Path) -> list[Document]:
    """All documents of a YAML file. Raises ConfigError with file and line."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err.strerror}.") from err
    return parse(data, str(path))


def parse(data: bytes, path: str) -> list[Document]:
    """All documents of a YAML text. `path` is only for messages."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB.")
    try:
        text = data.decode("utf-8")
        nodes = _compose(text)
    except UnicodeDecodeError as err:
        raise ConfigError(f"{path}: not UTF-8 (byte {err.start}).") from err
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {err.problem}.") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise ConfigError(f"{path}: not YAML: {type(err).__name__}.") from err
    builder = _Builder(path)
    return [builder.document(node) for node in nodes]


def unknown(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown name: what was meant, or all that is known."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{hint} Known: {', '.join(sorted(known)) or 'none'}."


class _Loader(Composer, CParser, Resolver):
    """libyaml scans, which is ten times faster; Python composes.

    libyaml's own composer recurses without a limit and takes the process down with it.
    """

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        Resolver.__init__(self)


def _compose(text: str) -> list[yaml.Node]:
    loader = _Loader(text)
    nodes = []
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            nodes.append(node)
    return nodes


class _Builder:
    """Builds the values of one file, and counts them.

    An alias stands for a copy of what it names, so a few lines of aliases can stand for
    billions of values.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._left = MAX_VALUES
        self._loader = yaml.SafeLoader("")
        self._lines: dict[tuple[str | int, ...], int] = {}
        self._columns: dict[tuple[str | int, ...], int] = {}

    def document(self, node: yaml.Node) -> Document:
        """The document with this root."""
        self._lines, self._columns = {}, {}
        value = self._value(node, ())
        return Document(self._path, value, self._lines, self._columns)

    def _value(self, node: yaml.Node, at: tuple[str | int, ...]) -> Any:
        self._lines[at] = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:
            raise self._error(node, f"more than {MAX_VALUES} values, counting aliases as copies.")
        if len(at) > MAX_DEPTH:
            raise self._error(node, f"nested deeper than {MAX_DEPTH} levels.")
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, at))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*at, i)) for i, item in enumerate(node.value)]
        column = _column(node)
        if column:
            self._columns[at] = column
        return self._scalar(node)

    def _pairs(
        self, node: yaml.MappingNode, at: tuple[str | int, ...]
    ) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key_node.tag == "tag:yaml.org,2002:merge":
                raise self._error(key_node, "keys are plain words, without merging.")
            if key in seen:
                raise self._error(key_node, f"{key!r} is given twice.")
            seen.add(key)
            value = self._value(value_node, (*at, key))
            self._lines[(*at, key)] = key_node.start_mark.line + 1
            yield key, value

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            value = self._loader.construct_object(node)
        except (yaml.YAMLError, *_MISREAD) as err:
            raise self._error(node, "a value that YAML cannot read.") from err
        if value is None or isinstance(value, str | int | float | bool):
            return value
        return node.value  # dates and the like stay as written

    def _error(self, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{self._path}:{node.start_mark.line + 1}: {message}")


def _column(node: yaml.Node) -> int:
    """Where a text begins that stands on one line, without escapes; else 0."""
    if not isinstance(node, yaml.ScalarNode):
        return 0
    start, end = node.start_mark, node.end_mark
    quotes = {"'": 1, '"': 1, None: 0, "": 0}.get(node.style)
    if quotes is None or start.line != end.line:
        return 0
    as_it_is = end.column - start.column == len(node.value) + 2 * quotes
    return int(start.column) + quotes + 1 if as_it_is else 0
