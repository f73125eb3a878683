"""Recorded exchanges, and canaries planted into their texts."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

DOMAIN = "nordhafen.de"
Plant = Callable[[str, str], str]


@dataclass(frozen=True)
class Recording:
    """One exchange. line: where in its file it stands."""

    line: int
    host: str
    method: str
    path: str
    query: str
    request: bytes
    status: int
    content_type: str
    response: bytes

    @property
    def streamed(self) -> bool:
        return "event-stream" in self.content_type or "ndjson" in self.content_type


def read(file: Path) -> Iterator[Recording]:
    """The exchanges of a file, gzip or not."""
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            path, _, query = row["path"].partition("?")
            yield Recording(
                line=number,
                host=row["host"],
                method=row["method"].upper(),
                path=path,
                query=query,
                request=(row["request"] or "").encode(),
                status=row["status"],
                content_type=row["content_type"],
                response=row["response"].encode(),
            )


class Canaries:
    """E-mail addresses that stand nowhere else, each planted once."""

    def __init__(self) -> None:
        self.count = 0

    def plant(self, text: str) -> str:
        """The text with a canary behind it."""
        self.count += 1
        return f"{text} canary.{self.count}@{DOMAIN} "

    @staticmethod
    def seen(data: bytes) -> bool:
        """Whether one has come out, whatever its letters were turned into."""
        return DOMAIN.encode() in data or b"canary." in data


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every string value in a JSON value."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, f"{path}/{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from strings(item, f"{path}/{i}")


def planted(value: Any, plant: Plant, path: str = "") -> Any:
    """The value with each string as `plant` wants it."""
    if isinstance(value, str):
        return plant(path, value)
    if isinstance(value, dict):
        return {k: planted(v, plant, f"{path}/{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [planted(v, plant, f"{path}/{i}") for i, v in enumerate(value)]
    return value


def values(body: bytes, content_type: str) -> list[Any]:
    """The JSON values of a body: one, or one an event; none if it is no JSON."""
    found = []
    for line in _datas(body) if "event-stream" in content_type else [body]:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def with_planted(body: bytes, content_type: str, plant: Plant) -> bytes:
    """A body with canaries in its JSON strings; as it is if it is no JSON."""
    if "event-stream" not in content_type:
        try:
            return json.dumps(planted(json.loads(body), plant), ensure_ascii=False).encode()
        except ValueError:
            return body
    lines = []
    for line in body.split(b"\n"):
        data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        try:
            value = planted(json.loads(data), plant)
            lines.append(b"data: " + json.dumps(value, ensure_ascii=False).encode())
        except ValueError:
            lines.append(line)
    return b"\n".join(lines)


def multipart_type(body: bytes) -> str:
    """The content type of a multipart body; empty if it is none."""
    first = body.partition(b"\r\n")[0]
    if first.startswith(b"--") and b"\r\nContent-Disposition: form-data" in body[:300]:
        return f"multipart/form-data; boundary={first[2:].decode('latin-1')}"
    return ""


def answering(recording: Recording, response: bytes) -> Recording:
    """The same exchange with another answer."""
    return replace(recording, response=response)


def cut(data: bytes, ends: list[int]) -> list[bytes]:
    """The data in pieces that end at these positions."""
    return [data[a:b] for a, b in itertools.pairwise([0, *ends, len(data)])]


def _datas(body: bytes) -> Iterator[bytes]:
    for line in body.splitlines():
        if line.startswith(b"data:"):
            yield line[5:].strip()
