"""What travels between the gateway and its detection workers, and what a worker does with it.

Frames are msgpack behind a length of four bytes. Answers name failures by the exception's
class alone: its message may quote the text.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gateway.core.judgement import Finding
from gateway.core.ports import Detector, Trigger
from gateway.detectors._sieve import OPEN, Sieve

_SURE: Mapping[str, float] = {}
MAX_FRAME_BYTES = 256 * 1024 * 1024

_LENGTH = struct.Struct(">I")


class Setup(msgspec.Struct, array_like=True, frozen=True):
    """The first frame to a worker: which detectors, with which options.

    job_limit_s: when a worker at work on one job ends itself, should nobody be left to do it.
    unsure: by detector, the score from which on faint findings are told, too, and marked.
    sieve: what sifts the findings of all of them.
    """

    enabled: dict[str, dict[str, Any]]
    job_limit_s: float
    unsure: dict[str, float] = {}
    sieve: Sieve = OPEN


class Loaded(msgspec.Struct, array_like=True, frozen=True):
    """The first frame from a worker. triggers: by detector; None: it must see everything.

    error: why it could not load, in words fit for the operator; empty if it could.
    """

    triggers: dict[str, list[Trigger] | None]
    rss_bytes: int
    error: str = ""


class Task(msgspec.Struct, array_like=True, frozen=True):
    """Some texts for one detector. hints: for each text; empty if the detector has no triggers."""

    detector: str
    texts: list[str]
    hints: list[list[str]]


class Row(msgspec.Struct, array_like=True, frozen=True):
    """One finding, without the name of its detector."""

    category: str
    start: int
    end: int
    score: float
    note: str = ""
    faint: bool = False


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What one task came to: rows for each text, or the class name of what was raised."""

    rows: list[list[Row]]
    error: str = ""


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """One outcome for each task of a job, and how much memory the worker holds now."""

    outcomes: list[Outcome]
    rss_bytes: int


def pack(value: msgspec.Struct | list[Task]) -> bytes:
    """A frame."""
    body = _ENCODER.encode(value)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Cuts what arrives into the bodies of frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies that are complete now. Raises ValueError for an absurd length."""
        self._data += data
        out = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            if length > MAX_FRAME_BYTES:
                raise ValueError("a frame longer than any job")
            if len(self._data) < _LENGTH.size + length:
                break
            out.append(bytes(self._data[_LENGTH.size : _LENGTH.size + length]))
            del self._data[: _LENGTH.size + length]
        return out


def perform(
    detectors: Mapping[str, Detector],
    tasks: list[Task],
    *,
    faint: bool = False,
    unsure: Mapping[str, float] = _SURE,
    sieve: Sieve = OPEN,
) -> list[Outcome]:
    """Runs each task. A detector that raises spoils its own task only.

    faint: whether findings below thresholds are told, too, as if they were not.
    unsure, sieve: as in `Setup`.
    One of the two places where everything is caught: a failure becomes a finding.
    """
    out = []
    for task in tasks:
        try:
            detector = detectors[task.detector]
            found = detector.detect(task.texts, task.hints)
            if len(found) != len(task.texts):
                raise ValueError("one list of findings for each text")
            least = {} if faint else sieve.thresholds(thresholds(detector))
            lowest = unsure.get(task.detector, math.inf)
            kept = (_sifted(*each, sieve) for each in zip(found, task.texts, strict=True))
            out.append(Outcome([_rows(findings, least, lowest) for findings in kept]))
        except Exception as err:  # noqa: BLE001 - the door of a detector
            out.append(Outcome([], type(err).__name__))
    return out


def thresholds(detector: Detector) -> Mapping[str, float]:
    """The least score by category of what a detector reports; empty if it is not graded."""
    found: Mapping[str, float] = getattr(detector, "thresholds", {})
    return found


def _sifted(findings: Sequence[Finding], text: str, sieve: Sieve) -> Sequence[Finding]:
    return [f for f in findings if not sieve.drops(f, text)] if sieve.allowed else findings


def _rows(findings: Iterable[Finding], least: Mapping[str, float], lowest: float) -> list[Row]:
    """lowest: the score from which on what is faint is told."""
    rows = []
    for found in findings:
        faint = found.score < least.get(found.category, 0.0)
        if not faint or found.score >= lowest:
            score = float(found.score)
            rows.append(Row(found.category, found.start, found.end, score, found.note, faint))
    return rows


_ENCODER = msgspec.msgpack.Encoder()
setup_decoder = msgspec.msgpack.Decoder(Setup)
loaded_decoder = msgspec.msgpack.Decoder(Loaded)
tasks_decoder = msgspec.msgpack.Decoder(list[Task])
answer_decoder = msgspec.msgpack.Decoder(Answer)
