"""A witness signs what only grows, keeps what does not, and forgets nothing."""

from __future__ import annotations

import asyncio
import base64
import threading
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from gateway import db, signing
from gateway.audit import merkle, submit, tiles
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.prove import prove
from gateway.audit.sequencer import signer
from gateway.audit.verify import verify
from gateway.audit.witness import Witness
from gateway.audit.witness_server import WitnessServer
from gateway.core.errors import ConfigError
from gateway.core.note import Note
from gateway.signing import Signer
from tests.audit.conftest import drop_triggers

LOG = Signer("log.example/1", bytes(range(32)))
LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(100)]
GROWN = tiles.grow(0, LEAVES, lambda level, index: b"")
COMPLETE = tiles.complete(lambda level, index: GROWN.get((level, index), b""))


def head(size):
    return LOG.sign(Checkpoint(LOG.key.name, size, merkle.root(size, COMPLETE)).text)


def asking(old, size, note=None, proof=None):
    found = merkle.consistency(old, size, COMPLETE) if proof is None else proof
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in found)]
    return "\n".join(lines) + f"\n\n{note or head(size)}"


def by_another(name):
    return Signer(name, bytes(32)).sign(Checkpoint(name, 64, bytes(32)).text)


@pytest.fixture
def witness(tmp_path, clock):
    return Witness(tmp_path / "w", name="w.example/1", log=LOG.key, clock=clock)


def test_it_signs_what_grows(witness, clock):
    for old, size in ((0, 3), (3, 64), (64, 64), (64, 100)):
        answer = witness.add(asking(old, size))
        assert answer.status == 200
        note = Note.parse(str(head(size)) + answer.text)
        assert abs(signing.require(note, witness.key) - clock.now_ms() / 1000) < 100
    assert witness.latest().text == head(100).text


FORK = str(LOG.sign(Checkpoint(LOG.key.name, 64, bytes(32)).text))


@pytest.mark.parametrize(
    ("request_text", "status", "answer"),
    [
        (asking(0, 64), 409, "40\n"),
        (asking(40, 64, proof=[]), 422, None),
        (asking(40, 64, proof=[bytes(32)] * 3), 422, None),
        (asking(40, 64, note=FORK), 422, None),
        (asking(40, 40, note=FORK.replace("\n64\n", "\n40\n")), 403, None),
        (asking(40, 64, note=str(head(64)).replace("\n64\n", "\n65\n")), 403, None),
        (asking(40, 64, note=by_another("other/1")), 404, None),
        (asking(40, 64, note=by_another(LOG.key.name)), 403, None),
        (asking(64, 64, note=head(40)), 400, None),
        ("", 400, None),
        ("old 40\n", 400, None),
        (asking(40, 64).replace("old 40", "old 040"), 400, None),
        (asking(40, 64).replace("old 40", "old 40\nAAAA"), 400, None),
        (asking(40, 64, proof=[bytes(32)] * 64), 400, None),
    ],
)  # fmt: skip
def test_it_refuses_everything_else(witness, request_text, status, answer):
    assert witness.add(asking(0, 40)).status == 200
    found = witness.add(request_text)
    assert found.status == status, found
    assert answer is None or found.text == answer
    assert witness.latest().text == head(40).text


def test_it_keeps_what_contradicts(witness, tmp_path):
    witness.add(asking(0, 40))
    same = str(LOG.sign(Checkpoint(LOG.key.name, 40, bytes(32)).text))
    assert witness.add(asking(40, 40, note=same)).status == 409
    (kept,) = (tmp_path / "w").glob("conflict-*")
    assert kept.read_text(encoding="utf-8") == same


def test_it_remembers_over_a_restart_and_does_not_begin_anew(witness, tmp_path, clock):
    witness.add(asking(0, 40))
    again = Witness(tmp_path / "w", name="w.example/1", log=LOG.key, clock=clock)
    assert again.key == witness.key
    assert again.add(asking(0, 64)).text == "40\n"
    (tmp_path / "w" / "latest").write_text("x")
    with pytest.raises(ConfigError, match="cannot be read"):
        again.add(asking(0, 64))
    assert (tmp_path / "w" / "witness.key").stat().st_mode & 0o777 == 0o600


def test_two_at_once_never_take_it_back(witness):
    witness.add(asking(0, 10))
    start = threading.Barrier(8)
    answers = []

    def ask(size):
        start.wait()
        answers.append(witness.add(asking(10, size)).status)

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(20, 28)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 7


@pytest.fixture
def site(tmp_path, clock, log_key):
    watching = Witness(tmp_path / "w", name="w.example/1", log=log_key, clock=clock)
    with WitnessServer(("127.0.0.1", 0), watching) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", watching
        server.shutdown()
        thread.join()


def test_the_log_asks_it_by_http_and_keeps_its_signature(
    filled, sequencer, site, key, log_key, clock, audit_log, opened
):
    url, watching = site
    sequencer().round()
    note = submit.submit(filled, url, watching.key, clock)
    assert signing.require(note, watching.key)
    assert httpx.get(f"{url}/checkpoint").text == str(note)

    async def more():
        async with audit_log() as log:
            await log.append(opened(77))

    asyncio.run(more())
    sequencer().round()
    # The newest that a witness signed proves the old ones, the newest of all the new one.
    bundle = prove(filled, "00000003-exchange", log_key)
    assert watching.key.name in bundle["checkpoint"]
    assert watching.key.name not in prove(filled, "00000077-exchange", log_key)["checkpoint"]
    submit.submit(filled, url, watching.key, clock)
    report = verify(filled, key, witnesses=[watching.key])
    assert report.ok, report.problems
    other = Witness(Path(str(watching._folder) + "2"), name="x/1", log=log_key, clock=clock)
    found = verify(filled, key, witnesses=[other.key]).problems
    assert [problem.code for problem in found] == ["cosignature_missing"]


def test_a_forged_signature_is_not_kept_and_found_if_it_is(
    filled, sequencer, site, key, clock, log_key, tmp_path
):
    url, watching = site
    sequencer().round()
    other = Witness(tmp_path / "o", name="w.example/1", log=log_key, clock=clock)
    with pytest.raises(ConfigError, match="no signature"):
        submit.submit(filled, url, other.key, clock)
    submit.submit(filled, url, watching.key, clock)
    drop_triggers(filled)
    with db.writing(filled) as connection:
        connection.execute(text("UPDATE audit_cosignature SET size = 29"))
    found = verify(filled, key, witnesses=[watching.key]).problems
    assert [problem.code for problem in found] == ["cosignature_forged"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/add-checkpoint", b"\xff", 400),
        ("POST", "/other", b"", 404),
        ("GET", "/checkpoint", None, 404),
        ("GET", "/", None, 404),
    ],
)
def test_http_that_it_does_not_take(site, method, path, body, status):
    answer = httpx.request(method, site[0] + path, content=body)
    assert answer.status_code == status


def test_too_much_is_not_read(site):
    asked = urllib.request.Request(f"{site[0]}/add-checkpoint", data=b"x", method="POST")
    asked.add_header("content-length", "99999999")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=5)
    assert caught.value.code == 413
    caught.value.close()
    assert signer(b"k", "").key.name.startswith("responsible-use-gateway/")
