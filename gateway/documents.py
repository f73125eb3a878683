"""YAML files whose every value remembers the line it stands on.

For what operators write: policies, catalogue, pattern packs, settings. Knows nothing of
their meaning.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.core.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value, and the line of each value by path.

    lines: path as a tuple of keys and indexes -> line number from 1.
    """

    path: str
    value: Any
    lines: dict[tuple[str | int, ...], int]

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
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except UnicodeDecodeError as err:
        raise ConfigError(f"{path}: not UTF-8 (byte {err.start}).") from err
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {err.problem}.") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise ConfigError(f"{path}: not YAML: {type(err).__name__}.") from err
    return [_document(node, path) for node in nodes if node is not None]


def unknown(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown name: what was meant, or all that is known."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{hint} Known: {', '.join(sorted(known)) or 'none'}."


def _document(node: yaml.Node, path: str) -> Document:
    lines: dict[tuple[str | int, ...], int] = {}
    value = _value(node, path, (), lines)
    return Document(path, value, lines)


def _value(
    node: yaml.Node,
    path: str,
    at: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> Any:
    line = node.start_mark.line + 1
    lines[at] = line
    if len(at) > MAX_DEPTH:
        raise ConfigError(f"{path}:{line}: nested deeper than {MAX_DEPTH} levels.")
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, path, at, lines))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, path, (*at, i), lines) for i, item in enumerate(node.value)]
    return _scalar(node, path)


def _pairs(
    node: yaml.MappingNode,
    path: str,
    at: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        key = key_node.value
        line = key_node.start_mark.line + 1
        if not isinstance(key, str) or key_node.tag == "tag:yaml.org,2002:merge":
            raise ConfigError(f"{path}:{line}: keys are plain words, without merging.")
        if key in seen:
            raise ConfigError(f"{path}:{line}: {key!r} is given twice.")
        seen.add(key)
        value = _value(value_node, path, (*at, key), lines)
        lines[(*at, key)] = line
        yield key, value


def _scalar(node: yaml.Node, path: str) -> Any:
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError) as err:
        line = node.start_mark.line + 1
        raise ConfigError(f"{path}:{line}: a value that YAML cannot read.") from err
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return node.value  # dates and the like stay as written
