"""Wire samples of all dialects: `tests/wire/<dialect>/<name>.{json,sse,ndjson}` and requests.

A request is `<name>.request.json`, or `.form` (what is not its body: `fakes.call_of`). An
answer belongs to the request of the same name, or to the dialect's first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway import dialects
from gateway.core.apis import Dialect
from gateway.core.calls import Call
from tests.pipeline.fakes import WIRE, call_of

ALL = dialects.load()
KINDS = {
    ".sse": "text/event-stream",
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt",
    ".mp3": "audio/mpeg",
}


@dataclass(frozen=True)
class Sample:
    """One answer and the request it belongs to."""

    dialect: Dialect
    name: str
    call: Call
    answer: bytes
    content_type: str

    def __str__(self) -> str:
        return f"{self.dialect.name}/{self.name}"


def requests(name: str) -> list[Path]:
    """The request samples of a dialect."""
    return sorted((WIRE.parent / name).glob("*.request.*"))


def answers() -> list[Sample]:
    """The answer samples of all dialects."""
    found = []
    for name, dialect in ALL.items():
        known = {p.name.split(".")[0]: p for p in requests(name)}
        for path in sorted((WIRE.parent / name).iterdir()):
            if path.suffix in KINDS and path.name.count(".") == 1:
                request = known.get(path.stem) or next(iter(known.values()))
                data = path.read_bytes()
                kind = "text/html" if data[:1] == b"<" else KINDS[path.suffix]
                found.append(Sample(dialect, path.name, call_of(request), data, kind))
    return found
