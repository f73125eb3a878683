"""An export into a stream of NATS JetStream, one message an entry.

A message has its entry's id as `Nats-Msg-Id`: what the stream has already the server drops, as
long as its duplicate window reaches (docs.nats.io, JetStream, "Message Deduplication").
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from gateway.audit.delivery import WAIT_S, Batch, Undelivered
from gateway.core.errors import ConfigError

# Sent, but not yet acknowledged.
IN_FLIGHT = 64
CLOSE_S = 1.0
# No wildcard, and none of the server's own, which begin with "$".
_SUBJECT = re.compile(r"[\w-]+(\.[\w-]+)*", re.ASCII)

Trouble = asyncio.Future[None]


class JetStream:
    """One subject of a server.

    It connects anew for each batch: a connection that idles while nothing is exported would
    have to answer the server's pings. The next messages go out when those in flight are
    acknowledged, so their order is that of the log.
    """

    def __init__(
        self, url: str, token: str = "", *, user: str = "", in_flight: int = IN_FLIGHT
    ) -> None:
        self._server, self._subject = _parsed(url)
        self._shown = f"{self._server}/{self._subject}"
        self._token, self._user = token, user
        self._in_flight = in_flight
        self._nats = load()
        self._was_taken = False

    def send(self, batch: Batch) -> None:
        """Publish its entries and wait until the stream has them all."""
        asyncio.run(self._send(batch))
        self._was_taken = True

    def close(self) -> None:
        """Nothing is open between batches."""

    async def _send(self, batch: Batch) -> None:
        trouble: Trouble = asyncio.get_running_loop().create_future()
        client = self._nats.NATS()
        try:
            async with asyncio.timeout(WAIT_S):
                await self._connect(client, trouble)
                await self._publish(client.jetstream(), batch, trouble)
        except (OSError, self._nats.errors.Error) as err:
            told = trouble.exception() if trouble.done() else None
            raise self._failure(err, told) from err
        finally:
            trouble.cancel()
            await _close(client)

    async def _connect(self, client: Any, trouble: Trouble) -> None:
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()

        async def note(err: Exception) -> None:
            if not trouble.done():
                trouble.set_exception(err)

        async def closed() -> None:
            await note(ConnectionResetError())

        def checked(secret: str = "") -> str:
            if self._server.startswith("tls:") and not context.used:
                raise ConfigError(
                    f"{self._server} speaks no TLS, so nothing was sent. Switch it on there."
                )
            return secret

        shown: dict[str, Any] = {}
        if self._user:
            shown = {"user": self._user, "password": lambda: checked(self._token)}
        elif self._token:
            shown = {"token": lambda: checked(self._token)}
        await client.connect(
            self._server,
            tls=context,
            allow_reconnect=False,
            # nats-py takes 0 for "for ever".
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=note,
            closed_cb=closed,
            **shown,
        )
        checked()

    async def _publish(self, stream: Any, batch: Batch, trouble: Trouble) -> None:
        messages = iter(batch.each())
        while some := list(islice(messages, self._in_flight)):
            acks = [
                await stream.publish_async(
                    self._subject,
                    (batch.head + text).rstrip("\r\n").encode(),
                    headers={"Nats-Msg-Id": entry, "Content-Type": batch.media_type},
                )
                for entry, text in some
            ]
            await _all(acks, trouble)

    def _failure(self, err: Exception, told: BaseException | None) -> Exception:
        """What is said of it: never the server's own words.

        told: what nats-py called back about before.
        """
        errors, js = self._nats.errors, self._nats.js.errors
        words = f"{told} {err}".lower()
        if isinstance(err, errors.MaxPayloadError):
            return ConfigError(f"{self._shown}: an entry is larger than max_payload there.")
        if isinstance(err, js.NoStreamResponseError):
            what = f"No stream takes the subject {self._subject!r} of {self._server}."
            # What took entries before is away, such as for the election of a leader.
            kind = Undelivered if self._was_taken else ConfigError
            return kind(f"{what} Make one: nats stream add NAME --subjects {self._subject}")
        if isinstance(err, js.APIError):
            return Undelivered(f"{self._shown} refuses with error {err.err_code} of JetStream.")
        if "authorization violation" in words:
            return Undelivered(
                f"{self._server} refuses the credentials. Set GATEWAY_EXPORT_TOKEN, and for a "
                "password GATEWAY_EXPORT_USER."
            )
        if "permissions violation" in words:
            return Undelivered(
                f"{self._shown}: this user may not publish there, or not subscribe to _INBOX.>."
            )
        return Undelivered(f"{self._shown} does not answer: {type(told or err).__name__}.")


class _Context(ssl.SSLContext):
    """Knows whether it was used: for tls://, too, nats-py goes without where a server asks none."""

    used = False

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin TLS."""
        self.used = True
        return super().wrap_bio(*args, **kwargs)


async def _all(acks: Iterable[asyncio.Future[Any]], trouble: Trouble) -> None:
    """Wait for them, or for trouble: nats-py leaves them open where the connection is lost."""
    arrived = asyncio.gather(*acks)
    await asyncio.wait((arrived, trouble), return_when=asyncio.FIRST_COMPLETED)
    if arrived.done():
        arrived.result()
    else:
        arrived.cancel()
        trouble.result()


async def _close(client: Any) -> None:
    """All that counts is acknowledged by then; after a failed handshake nats-py waits for ever."""
    with suppress(OSError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


def load() -> Any:
    """Imports nats-py. Raises ConfigError if it is not installed."""
    try:
        import nats  # noqa: PLC0415 - 0.1 s, for this one outlet
        import nats.js.errors  # noqa: PLC0415
    except ImportError as err:
        raise ConfigError(
            "NATS needs nats-py. Run: pip install 'responsible-use-gateway[nats]'"
        ) from err
    return nats


def _parsed(url: str) -> tuple[str, str]:
    """The server's URL and the subject. Raises ConfigError, which never repeats the URL."""
    parts = urlsplit(url)
    expected = f"expected {parts.scheme}://HOST:PORT/SUBJECT"
    if "@" in parts.netloc:
        raise ConfigError(
            f"{parts.scheme}: {expected}. Credentials come from GATEWAY_EXPORT_TOKEN, and for a "
            "password GATEWAY_EXPORT_USER."
        )
    subject = parts.path.removeprefix("/")
    named = _SUBJECT.fullmatch(subject) and not parts.query and not parts.fragment
    if not parts.hostname or not _port_fits(parts.netloc) or not named:
        raise ConfigError(
            f"{parts.scheme}: {expected}, the subject of letters, digits, - and _, with dots "
            "between them."
        )
    return f"{parts.scheme}://{parts.netloc}", subject


def _port_fits(netloc: str) -> bool:
    try:
        urlsplit(f"//{netloc}").port  # noqa: B018 - it checks when it is read
    except ValueError:
        return False
    return True
