"""Exports into a real NATS server: nothing lost, nothing twice, nothing told to strangers."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import nats
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats.js import JetStreamContext

from gateway.audit import formats
from gateway.audit.delivery import Batch, Undelivered
from gateway.audit.export import Cursor, export
from gateway.audit.jetstream import JetStream
from gateway.audit.outlets import outlet
from gateway.core.errors import ConfigError
from tests.audit.nats_server import NatsServer, Unavailable, program

LOG = "log.example+00000000+AAAA"
SECRET = "hidden-secret"
JSONL = formats.named("jsonl")

Start = Callable[..., NatsServer]


@pytest.fixture(scope="session")
def nats_program() -> Path:
    try:
        return program()
    except Unavailable as err:
        pytest.skip(str(err))


@pytest.fixture
def start(nats_program: Path, tmp_path: Path) -> Iterator[Start]:
    started = []

    def make(*options: str) -> NatsServer:
        server = NatsServer(nats_program, tmp_path / "store", *options)
        started.append(server)
        server.start()
        return server

    yield make
    for server in started:
        server.end()


@pytest.fixture
def server(start: Start) -> NatsServer:
    made = start()
    add_stream(made)
    return made


@pytest.fixture
def sequenced(filled: Any, sequencer: Any) -> Any:
    while sequencer().round().entries:
        pass
    return filled


def asked(server: NatsServer, ask: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        async with await nats.connect(server.place) as client:
            return await ask(client.jetstream())

    return asyncio.run(go())


def add_stream(server: NatsServer, **options: Any) -> None:
    asked(server, lambda js: js.add_stream(name="LOG", subjects=["audit.>"], **options))


def messages(server: NatsServer) -> list[Any]:
    async def read(js: JetStreamContext) -> list[Any]:
        state = (await js.stream_info("LOG")).state
        return [await js.get_msg("LOG", n) for n in range(1, state.last_seq + 1)]

    return asked(server, read)


def indexes(server: NatsServer) -> list[int]:
    return [json.loads(message.data)["index"] for message in messages(server)]


def batch(count: int = 1, text: str = "{}") -> Batch:
    return Batch(text, "application/json", each=lambda: [(f"id-{n}", text) for n in range(count)])


def test_each_entry_is_a_message_with_its_id(server: NatsServer, sequenced: Any) -> None:
    to = outlet(f"nats://{server.place}/audit.log")
    assert sum(export(sequenced, JSONL, to, Cursor(LOG))) == 30
    got = messages(server)
    assert [json.loads(message.data)["index"] for message in got] == list(range(30))
    for message in got:
        assert message.subject == "audit.log"
        assert message.headers["Nats-Msg-Id"] == json.loads(message.data)["id"]
        assert message.headers["Content-Type"] == JSONL.media_type


def test_more_than_may_be_in_flight_keeps_its_order(server: NatsServer) -> None:
    outlet(f"nats://{server.place}/audit.log").send(batch(500))
    ids = [message.headers["Nats-Msg-Id"] for message in messages(server)]
    assert ids == [f"id-{n}" for n in range(500)]


def test_a_format_that_passes_entries_over_sends_none_for_them(
    server: NatsServer, sequenced: Any
) -> None:
    form = formats.named("cef")
    list(export(sequenced, form, outlet(f"nats://{server.place}/audit.log"), Cursor(LOG)))
    got = messages(server)
    assert 0 < len(got) < 30
    assert all(message.data.startswith(b"<") for message in got)


def test_what_is_sent_again_is_there_once(server: NatsServer, sequenced: Any) -> None:
    for _ in range(2):
        to = outlet(f"nats://{server.place}/audit.log")
        assert sum(export(sequenced, JSONL, to, Cursor(LOG))) == 30
    assert indexes(server) == list(range(30))


class Interrupting:
    """The format `jsonl`; calls `then` before it writes the entry of one place by itself."""

    media_type, head = JSONL.media_type, JSONL.head

    def __init__(self, place: int, then: Callable[[], None]) -> None:
        self._place, self._then = place, then

    def batch(self, entries: Sequence[formats.Entry]) -> str:
        if [entry["index"] for entry in entries] == [self._place]:
            self._then()
        return JSONL.batch(entries)


def test_a_killed_server_loses_nothing_and_gets_nothing_twice(
    server: NatsServer, sequenced: Any, tmp_path: Path
) -> None:
    to = JetStream(f"nats://{server.place}/audit.log", in_flight=4)
    path = tmp_path / "at.json"
    cursor = Cursor(LOG, path)
    assert sum(export(sequenced, JSONL, to, cursor, until=5)) == 5
    killing = Interrupting(17, lambda: server.end(signal.SIGKILL))
    with pytest.raises(Undelivered, match="does not answer"):
        list(export(sequenced, killing, to, cursor))
    assert cursor.at == 5
    server.start()
    assert 5 < len(indexes(server)) < 30
    again = Cursor(LOG, path)
    again.load()
    assert sum(export(sequenced, JSONL, to, again)) == 25
    assert indexes(server) == list(range(30))


def test_following_goes_on_when_the_server_is_back(server: NatsServer, sequenced: Any) -> None:
    server.end(signal.SIGKILL)
    waits = []

    def wait(seconds: float) -> bool:
        if not waits:
            server.start()
        waits.append(seconds)
        return len(waits) < 3

    to = outlet(f"nats://{server.place}/audit.log")
    assert sum(export(sequenced, JSONL, to, Cursor(LOG), wait=wait)) == 30
    assert waits[0] == 2.0
    assert indexes(server) == list(range(30))


def test_a_subject_without_a_stream_says_to_make_one(server: NatsServer) -> None:
    with pytest.raises(ConfigError, match="nats stream add NAME --subjects other"):
        outlet(f"nats://{server.place}/other").send(batch())


def test_a_stream_that_was_there_may_come_back(server: NatsServer) -> None:
    to = outlet(f"nats://{server.place}/audit.log")
    to.send(batch())
    asked(server, lambda js: js.delete_stream("LOG"))
    with pytest.raises(Undelivered, match="No stream takes"):
        to.send(batch())


def test_a_full_stream_is_no_delivery(start: Start) -> None:
    server = start()
    add_stream(server, max_msgs=2, discard="new")
    with pytest.raises(Undelivered, match="error 10077 of JetStream"):
        outlet(f"nats://{server.place}/audit.log").send(batch(3))


def test_an_entry_too_large_for_the_server_is_an_error(server: NatsServer) -> None:
    with pytest.raises(ConfigError, match="larger than max_payload"):
        outlet(f"nats://{server.place}/audit.log").send(batch(1, "x" * 2_000_000))


@pytest.mark.parametrize(
    ("options", "right"),
    [
        (("--auth", SECRET), {"token": SECRET}),
        (("--user", "exporter", "--pass", SECRET), {"token": SECRET, "user": "exporter"}),
    ],
)
def test_credentials_are_shown_and_never_told(
    start: Start, options: tuple[str, ...], right: dict[str, str]
) -> None:
    url = f"nats://{start(*options).place}/audit.log"
    with pytest.raises(ConfigError, match="No stream"):
        outlet(url, **right).send(batch())
    for wrong in ({}, {**right, "token": f"{SECRET}-not"}):
        with pytest.raises(Undelivered, match="refuses the credentials") as told:
            outlet(url, **wrong).send(batch())
        assert SECRET not in str(told.value)


def test_a_user_who_may_not_publish_is_told_so(start: Start, tmp_path: Path) -> None:
    (tmp_path / "nats.conf").write_text(
        f'authorization {{ users = [{{ user: e, password: "{SECRET}", permissions: '
        '{ publish: "other" } }] }'
    )
    server = start("--config", str(tmp_path / "nats.conf"))
    with pytest.raises(Undelivered, match="may not publish there"):
        outlet(f"nats://{server.place}/audit.log", SECRET, user="e").send(batch())


def test_nobody_there_is_no_delivery() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"nats://127.0.0.1:{free.getsockname()[1]}/audit"
        with pytest.raises(Undelivered, match="does not answer: ConnectionRefusedError"):
            outlet(url, SECRET).send(batch())


def test_what_came_in_plain_text_is_not_answered_where_tls_was_asked(server: NatsServer) -> None:
    for token in ("", SECRET):
        with pytest.raises(ConfigError, match="speaks no TLS, so nothing was sent") as told:
            outlet(f"tls://{server.place}/audit.log", token).send(batch())
        assert SECRET not in str(told.value)
    assert messages(server) == []


def test_tls_is_spoken_with_those_whom_an_authority_knows(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = certified(tmp_path)
    server = start("--tls", "--tlscert", str(certificate), "--tlskey", str(key))
    url = f"tls://{server.place}/audit.log"
    with pytest.raises(Undelivered, match="SSLCertVerificationError"):
        outlet(url, SECRET).send(batch())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(ConfigError, match="No stream takes"):
        outlet(url, SECRET).send(batch())


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nats")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(
        now + timedelta(days=1)
    )
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    certificate, kept = folder / "tls.pem", folder / "tls.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    kept.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, kept


@pytest.mark.parametrize(
    "url",
    [
        "nats://127.0.0.1:4222",
        "nats://127.0.0.1:4222/",
        "nats:///audit",
        "nats://127.0.0.1:none/audit",
        "nats://127.0.0.1:4222/audit.*",
        "nats://127.0.0.1:4222/audit.>",
        "nats://127.0.0.1:4222/$JS.API.INFO",
        "nats://127.0.0.1:4222/audit/more",
        f"nats://127.0.0.1:4222/audit?token={SECRET}",
        f"tls://user:{SECRET}@127.0.0.1:4222/audit",
    ],
)
def test_a_place_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT/SUBJECT") as told:
        outlet(url)
    assert SECRET not in str(told.value)


def test_without_its_package_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(ConfigError, match=r"pip install 'responsible-use-gateway\[nats\]'"):
        outlet("nats://127.0.0.1:4222/audit")
