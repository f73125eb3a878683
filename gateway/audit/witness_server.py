"""A witness by HTTP: `POST /add-checkpoint` of C2SP's tlog-witness, and `GET /checkpoint`.

The standard library's server: a handful of requests a minute, from logs that are known.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gateway.audit.witness import Answer, Witness
from gateway.core.errors import GatewayError
from gateway.core.note import MAX_NOTE_CHARS

MAX_BODY_BYTES = 2 * MAX_NOTE_CHARS
WAIT_S = 10
_NOT_FOUND = Answer(404, "POST /add-checkpoint, GET /checkpoint\n")


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness at (host, port) until `shutdown`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = WAIT_S
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.path.rstrip("/").rpartition("/")[2] != "add-checkpoint":
            self._answer(_NOT_FOUND)
            return
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(Answer(413, "the request is too large\n"))
            return
        try:
            text = self.rfile.read(int(length)).decode("utf-8")
            answer = self.server.witness.add(text)
        except UnicodeDecodeError:
            answer = Answer(400, "the request is not UTF-8\n")
        except GatewayError as err:
            self.log_error("%s", err)
            answer = Answer(500, "the witness cannot read what it signed before\n")
        self._answer(answer)

    def do_GET(self) -> None:
        latest = self.server.witness.latest() if self.path == "/checkpoint" else None
        self._answer(_NOT_FOUND if latest is None else Answer(200, str(latest)))

    def _answer(self, answer: Answer) -> None:
        body = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("content-type", answer.media)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
