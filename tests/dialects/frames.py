"""Frames of a stream, however many of its events each holds."""

from __future__ import annotations

from gateway.core.message import Frame


def apart(frames: list[Frame]) -> list[Frame]:
    """Each event in a frame of its own, without its note."""
    single: list[Frame] = []
    for frame in frames:
        run = frame.several
        single += [frame] if run is None else [run.frame(i, i + 1) for i in range(len(run.ends))]
    return [frame._replace(note=None) for frame in single]
