"""One worker process and the socket to it, driven by the event loop without tasks."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.detectors._jobs import Frames

_BOOT = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from gateway.detectors._worker import main; main(int(sys.argv[1]), {libraries!r})"
)
# All that a worker needs to know of our environment: it holds keys that it must not see.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
# For a process that runs detectors, before numpy is imported: its arrays are small, and threads
# that wait for each other would cost as much again.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# No library may look for anything outside.
_FIXED = {
    **ONE_THREAD,
    "HF_HUB_OFFLINE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_READ_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Launched:
    """A worker process and our end of its socket. It ends when that end is closed."""

    process: subprocess.Popen[bytes]
    socket: socket.socket

    def close(self) -> None:
        """End the process and wait for it. Harmless when it has ended."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


def launch(libraries: Sequence[str] = ()) -> Launched:
    """Start a worker process. Takes a few milliseconds; needs no event loop.

    libraries: what it imports at once, without waiting to be told what to load. A process
    that is launched early imports them while its parent is still busy with its own start.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        boot = _BOOT.format(libraries=tuple(libraries))
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", boot, str(theirs.fileno()), *filter(None, sys.path)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={k: os.environ[k] for k in _ENVIRONMENT if k in os.environ} | _FIXED,
        )
    ours.setblocking(False)
    return Launched(process, ours)


class Channel:
    """Talks with a worker; calls back for each frame and once when the worker is gone."""

    def __init__(
        self,
        *,
        on_frame: Callable[[Channel, bytes], None],
        on_gone: Callable[[Channel], None],
        launched: Launched | None = None,
    ) -> None:
        """Needs a running loop. launched: a worker that was started earlier; None starts one."""
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._on_gone = on_gone
        self._frames = Frames()
        self._unsent = bytearray()
        self._open = True
        launched = launched or launch()
        self._process = launched.process
        self._socket = launched.socket
        self._loop.add_reader(self._socket.fileno(), self._read)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def send(self, frame: bytes) -> None:
        """Sends now what fits, the rest as the worker reads it."""
        if not self._open:
            return
        if not self._unsent:
            try:
                sent = self._socket.send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._loop.call_soon(self.close)
                return
            if sent == len(frame):
                return
            frame = frame[sent:]
            self._loop.add_writer(self._socket.fileno(), self._write)
        self._unsent += frame

    def close(self) -> None:
        """Ends the worker at once. Calls back that it is gone; harmless when it is already."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._process.kill()
        self._on_gone(self)

    def reap(self) -> None:
        """Waits until the closed worker has ended. Blocks; for a thread."""
        self._process.wait()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
            bodies = self._frames.feed(data)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            data, bodies = b"", []
        for body in bodies:
            self._on_frame(self, body)
        if not data:
            self.close()

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())
