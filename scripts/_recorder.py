"""A wire between a client and a server that keeps what the server was sent."""

import contextlib
import json
import re
import socket
import socketserver
import threading
from typing import Any

HERE = "127.0.0.1"
_HEAD = re.compile(rb"content-length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", re.IGNORECASE)


class Recorder:
    """Passes connections on to a port of this machine, byte for byte.

    sent: all bytes that went to the server, in the order they came.
    """

    def __init__(self, target: int) -> None:
        self.sent = bytearray()
        recorder = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection((HERE, target)) as upstream:
                    back = threading.Thread(target=_carry, args=(upstream, self.request))
                    back.start()
                    _carry(self.request, upstream, recorder.sent)
                    back.join()

        self._server = socketserver.ThreadingTCPServer((HERE, 0), Connection)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "Recorder":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.socket.close()

    def bodies(self) -> list[Any]:
        """The JSON bodies in what was sent, for requests that came one after another."""
        sent = bytes(self.sent)
        return [
            json.loads(sent[head.end() : head.end() + int(head[1])])
            for head in _HEAD.finditer(sent)
        ]


def _carry(source: socket.socket, target: socket.socket, kept: bytearray | None = None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            # Kept before it is passed on: an answer cannot come before its request is here.
            if kept is not None:
                kept += data
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
