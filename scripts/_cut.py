"""A cable between a gateway and its database that can be cut: a TCP proxy of our own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIECE_BYTES = 65_536


class Cable:
    """Listens on `port` of 127.0.0.1, and goes on to a Unix socket. Has a thread of its own."""

    def __init__(self, socket: Path) -> None:
        self.port = 0
        self._socket = socket
        self._cut = False
        self._flows = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait(10)

    @contextmanager
    def cut(self, *, silent: bool) -> Iterator[None]:
        """Nothing comes through. silent: nor is anybody told; else connections are reset."""
        self._loop.call_soon_threadsafe(self._sever, silent)
        try:
            yield
        finally:
            self.mend()

    def mend(self) -> None:
        """Let everything through again."""
        self._loop.call_soon_threadsafe(self._mend)

    def _sever(self, silent: bool) -> None:
        self._flows.clear()
        self._cut = not silent
        if not silent:
            for writer in self._writers:
                writer.transport.abort()

    def _mend(self) -> None:
        self._cut = False
        self._flows.set()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        self._flows.set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        with suppress(OSError):
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        self._writers -= ends
        for end in ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_PIECE_BYTES):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
