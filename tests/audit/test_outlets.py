"""Where exports go: real files, a real web server, a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.audit.delivery import Batch, Undelivered
from gateway.audit.outlets import Web, outlet
from gateway.core.errors import ConfigError


@contextmanager
def web(status: int, got: list[tuple[str, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.headers.get("authorization", ""), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in?key=hidden"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_file_begins_with_its_head_once(tmp_path: Path) -> None:
    place = tmp_path / "log.csv"
    for text in ("1\r\n", "2\r\n"):
        to = outlet(str(place))
        to.send(Batch(text, "text/csv", "n\r\n"))
        to.close()
    assert place.read_bytes() == b"n\r\n1\r\n2\r\n"
    assert place.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        outlet(str(tmp_path / "none" / "log.csv"))


def test_the_web_gets_each_batch_with_its_head() -> None:
    got: list[tuple[str, bytes]] = []
    with web(204, got) as url:
        to = Web(url, "token")
        to.send(Batch("1\n", "text/csv", "n\n"))
        to.send(Batch("2\n", "text/csv", "n\n"))
        to.close()
    assert got == [("Bearer token", b"n\n1\n"), ("Bearer token", b"n\n2\n")]


def test_a_refusal_says_where_and_hides_the_query() -> None:
    with web(503, []) as url:
        to = outlet(url)
        with pytest.raises(Undelivered, match="answers with status 503") as told:
            to.send(Batch("1\n", "text/plain"))
        to.close()
    assert "hidden" not in str(told.value)


def test_nobody_there_is_no_delivery() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for place in (f"http://127.0.0.1:{port}", f"syslog://127.0.0.1:{port}"):
        to = outlet(place)
        with pytest.raises(Undelivered):
            to.send(Batch("1\n", "text/plain"))
        to.close()


def test_syslog_frames_each_line_by_its_length_in_bytes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = outlet(f"syslog://127.0.0.1:{server.getsockname()[1]}")
        to.send(Batch("<110>1 é\n<110>1 b\n", "text/plain"))
        to.close()
        line, _ = server.accept()
        with line:
            assert line.recv(100) == "9 <110>1 é8 <110>1 b".encode()
