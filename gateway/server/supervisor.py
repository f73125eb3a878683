"""Several gateway processes on one socket: starts them, replaces those that die, stops them."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from types import FrameType

log = logging.getLogger(__name__)

STOP_S = 30
_LOOK_S = 0.2
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)


class Supervisor:
    """Runs `target(number, sock, *arguments)` in `workers` processes.

    Each is spawned, not forked: threads and event loops do not survive a fork.
    """

    def __init__(
        self, target: Callable[..., None], sock: socket.socket, workers: int, *arguments: object
    ) -> None:
        self._target = target
        self._sock = sock
        self._arguments = arguments
        self._context = multiprocessing.get_context("spawn")
        self._processes: dict[int, BaseProcess] = {}
        self._deaths: dict[int, int] = {}
        self._due: dict[int, float] = dict.fromkeys(range(workers), 0.0)
        self._stopping = False

    def run(self) -> int:
        """Supervise until SIGINT or SIGTERM. Returns 0, or 1 if a process had to be killed."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self._stopping:
            self._start_due()
            self._bury()
            time.sleep(_LOOK_S)
        return self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [n for n, due in self._due.items() if due <= now]:
            del self._due[number]
            process = self._context.Process(
                target=self._target,
                args=(number, self._sock, *self._arguments),
                name=f"gateway-{number}",
            )
            process.start()
            self._processes[number] = process

    def _bury(self) -> None:
        for number, process in list(self._processes.items()):
            if process.is_alive():
                continue
            del self._processes[number]
            deaths = self._deaths[number] = self._deaths.get(number, 0) + 1
            pause_s = _BACKOFF_S[min(deaths, len(_BACKOFF_S)) - 1]
            log.error(
                "gateway process %d ended with code %s; the next starts in %g s",
                number,
                process.exitcode,
                pause_s,
            )
            self._due[number] = time.monotonic() + pause_s

    def _end(self) -> int:
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self._processes.values():
            process.join(max(0.0, deadline - time.monotonic()))
        late = [p for p in self._processes.values() if p.is_alive()]
        for process in late:
            process.kill()
        return 1 if late else 0
