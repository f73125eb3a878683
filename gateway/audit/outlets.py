"""Where an export goes: a file, a web address, a syslog server, a stream. Each keeps what it was
given, or says that it did not.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gateway.audit.delivery import WAIT_S, Batch, Outlet, Undelivered
from gateway.audit.jetstream import JetStream
from gateway.core.errors import ConfigError


def outlet(place: str, token: str = "", *, user: str = "") -> Outlet:
    """`-`, an http(s) URL to POST to, syslog(s)://HOST:PORT, nats:// or tls://HOST:PORT/SUBJECT.

    Any other place is a file. token: shown to the web address as a bearer token, to NATS as its
    token, or as the password of `user`, if there is one.
    """
    if place == "-":
        return Standard()
    if place.startswith(("https://", "http://")):
        return Web(place, token)
    if place.startswith(("syslog://", "syslogs://")):
        return Syslog(place)
    if place.startswith(("nats://", "tls://")):
        return JetStream(place, token, user=user)
    return File(Path(place))


class Standard:
    """Standard output."""

    def __init__(self) -> None:
        self._begun = False

    def send(self, batch: Batch) -> None:
        """Print it."""
        sys.stdout.write(batch.text if self._begun else batch.head + batch.text)
        sys.stdout.flush()
        self._begun = True

    def close(self) -> None:
        """Leave it open, for it is not ours."""


class File:
    """A file that grows. A batch that was cut by a crash is sent again behind what is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as err:
            raise ConfigError(f"{path}: cannot be written: {err.strerror}.") from err
        self._file = os.fdopen(handle, "a", encoding="utf-8", newline="")

    def send(self, batch: Batch) -> None:
        """Append it; on disk when this returns."""
        try:
            self._file.write(batch.text if self._file.tell() else batch.head + batch.text)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as err:
            raise Undelivered(f"{self._path}: cannot be written: {err.strerror}.") from err

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Web:
    """One POST a batch. A status of 2xx means that it was taken."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
        self._url = url
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(timeout=WAIT_S, headers=headers)

    def send(self, batch: Batch) -> None:
        """POST it, each time with what a file of it would begin with."""
        headers = {"content-type": batch.media_type}
        content = (batch.head + batch.text).encode()
        try:
            answer = self._client.post(self._url, content=content, headers=headers)
        except httpx.HTTPError as err:
            raise Undelivered(f"{self._shown} does not answer: {type(err).__name__}.") from err
        if not answer.is_success:
            raise Undelivered(f"{self._shown} answers with status {answer.status_code}.")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class Syslog:
    """A syslog server over TCP or TLS, each line framed by its length (RFC 6587, RFC 5425).

    Syslog has no receipt: what was in flight when a connection broke may be lost.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if not parts.hostname:
            raise ConfigError(f"{parts.scheme}: expected {parts.scheme}://HOST:PORT.")
        self._secure = parts.scheme == "syslogs"
        self._place = parts.hostname, parts.port or (6514 if self._secure else 601)
        self._socket: socket.socket | None = None

    def send(self, batch: Batch) -> None:
        """Send its lines; connect before if need be."""
        lines = (line.encode() for line in batch.text.splitlines())
        framed = b"".join(b"%d %b" % (len(line), line) for line in lines)
        try:
            self._connected().sendall(framed)
        except OSError as err:
            self.close()
            host, port = self._place
            reason = err.strerror or type(err).__name__
            raise Undelivered(f"The syslog server {host}:{port} is lost: {reason}.") from err

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            plain = socket.create_connection(self._place, timeout=WAIT_S)
            if self._secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(plain, server_hostname=self._place[0])
            else:
                self._socket = plain
        return self._socket
