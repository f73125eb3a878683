"""The process that runs detectors: reads jobs from a socket, one at a time, until it closes.

Started as `python -c` with the socket's number; nothing of the gateway but detectors is
imported. It writes to nowhere else, so that no text can end up in a log.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector, Trigger
from gateway.detectors import create
from gateway.detectors._jobs import (
    Answer,
    Frames,
    Loaded,
    Setup,
    pack,
    perform,
    setup_decoder,
    tasks_decoder,
)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_READ_BYTES = 1 << 18


def main(number: int, libraries: Sequence[str] = ()) -> None:
    """Serves the socket with this file number until the other side closes it.

    libraries: imported at once; one that is not there is missed when it is needed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    with socket.socket(fileno=number) as sock:
        for library in libraries:
            with contextlib.suppress(ImportError):
                importlib.import_module(library)
        serve(sock)


def serve(sock: socket.socket) -> None:
    """Loads what the first frame names, then answers jobs."""
    frames = Frames()
    setup = Setup({}, 0.0)
    detectors: dict[str, Detector] | None = None
    while data := sock.recv(_READ_BYTES):
        for body in frames.feed(data):
            if detectors is None:
                setup = setup_decoder.decode(body)
                detectors, loaded = _load(setup)
                sock.sendall(pack(loaded))
                if loaded.error:
                    return
            else:
                # SIGALRM ends the process even where Python code gets no turn.
                signal.setitimer(signal.ITIMER_REAL, setup.job_limit_s)
                tasks = tasks_decoder.decode(body)
                outcomes = perform(detectors, tasks, unsure=setup.unsure, sieve=setup.sieve)
                signal.setitimer(signal.ITIMER_REAL, 0)
                sock.sendall(pack(Answer(outcomes, rss_bytes())))


def rss_bytes() -> int:
    """Memory this process holds now; 0 where /proc does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _load(setup: Setup) -> tuple[dict[str, Detector], Loaded]:
    """The detectors, ready. No text has been seen yet, so an error may be told in full."""
    detectors: dict[str, Detector] = {}
    triggers: dict[str, list[Trigger] | None] = {}
    try:
        for detector in create(setup.enabled):
            found = detector.load()
            triggers[detector.name] = None if found is None else list(found)
            detectors[detector.name] = detector
    except ConfigError as err:
        return {}, Loaded({}, 0, str(err))
    except Exception as err:  # noqa: BLE001 - the door of this process
        return {}, Loaded({}, 0, f"{type(err).__name__} while loading a detector: {err}")
    # What is loaded stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return detectors, Loaded(triggers, rss_bytes())
