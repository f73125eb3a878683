"""Commands of `gateway audit` that make evidence: the tree over the log, checkpoints, proofs."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway import settings
from gateway.audit import submit, tree, verifier
from gateway.audit.anchor import anchor
from gateway.audit.prove import prove as bundle_of
from gateway.audit.prove import prove_at
from gateway.audit.sequencer import signer
from gateway.audit.sequencing import Sequencing
from gateway.audit.witness import Witness
from gateway.audit.witness_server import WitnessServer
from gateway.cli._open import await_database, database
from gateway.cli._output import Json, emit, say, warn
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.note import Key, Note
from gateway.core.ports import Counters
from gateway.db import snapshot
from gateway.identity.keyring import Keyring
from gateway.serve import set_up_logging
from gateway.settings import Settings


def log_key(found: Settings) -> Key:
    """The public key of this gateway's log."""
    keyring = Keyring.open(found.keyring_path, create=False)
    return signer(keyring.audit_key, found.audit_origin).key


def sequence(
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Give new entries their places in the tree and sign checkpoints, until Ctrl-C or SIGTERM.

    A gateway does this by itself unless GATEWAY_AUDIT_SEQUENCE_S is 0. Of several at once on
    one database one works; the others wait, and take over when it ends. A database that does
    not answer is waited for, unless with `--once`. `--json` prints what the tree holds when it
    ends.
    """
    found = settings.read()
    keyring = Keyring.open(found.keyring_path, create=False)
    await_database(found, patiently=not once)
    work = Sequencing.open(
        found.database,
        key=keyring.audit_key,
        origin=found.audit_origin,
        clock=SystemClock(),
        counters=Counters(),
        every_s=found.audit_sequence_s or 1,
        share=1.0,
        abandoned_s=found.audit_abandoned_s,
        replica=f"{found.replica_name}/cli",
    )
    if once:
        _catch_up(work)
    else:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: work.stop())
        set_up_logging(found)
        work.run()
    if as_json:
        with database(found) as engine, snapshot(engine) as connection:
            newest = tree.newest(connection)
            emit({"size": newest[0] if newest else 0})


def _catch_up(work: Sequencing) -> None:
    while work.turn(0.0) == 0.0:
        pass
    trouble = work.trouble if work.leads else "Another process sequences this database now."
    work.close()
    if trouble:
        raise ConfigError(trouble)


def prove(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="An exchange's whole id, or a place in the tree.")
    ],
    as_json: Json = False,
) -> None:
    """Print evidence of an exchange: its entries, and the proof that the log has them.

    It is JSON; `--json` makes it one line.

    An auditor checks it without this gateway: `gateway audit verifier > verifier.py`, then
    `python3 verifier.py BUNDLE.json --key KEY`, where `gateway audit checkpoint --key`
    prints the key.
    """
    found = settings.read()
    key = log_key(found)
    with database(found) as engine:
        if name.isdigit():
            made = prove_at(engine, int(name), key)
        else:
            made = bundle_of(engine, name.removeprefix("urn:uuid:").lower(), key)
    if made is None:
        raise ConfigError(f"There is no exchange or place {name[:40]!r} in the log.")
    if as_json:
        emit(made)
    else:
        sys.stdout.write(json.dumps(made, indent=2, ensure_ascii=False) + "\n")


def checkpoint(
    to: Annotated[
        list[str] | None,
        typer.Option(help="Keep it there too: a file, a folder, or a URL to PUT to."),
    ] = None,
    witness: Annotated[str, typer.Option(help="URL of a witness that is to sign it.")] = "",
    witness_key: Annotated[str, typer.Option(help="That witness's public key.")] = "",
    request: Annotated[
        int, typer.Option(help="Print what to carry to a witness that knows so many entries.")
    ] = -1,
    add: Annotated[
        typer.FileText | None, typer.Option(help="File with what that witness answered.")
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Print the log's public key only.")] = False,
    as_json: Json = False,
) -> None:
    """Print the newest checkpoint: what the log signs of itself, and witnesses under it.

    Whoever keeps one outside the database can tell later whether the log was changed since:
    `gateway audit verify --against FILE`.
    """
    found = settings.read()
    public = log_key(found)
    if key:
        sys.stdout.write(f"{public}\n")
        return
    with database(found) as engine:
        if request >= 0:
            sys.stdout.write(submit.request(engine, request))
            return
        with snapshot(engine) as connection:
            size, note = submit.newest(connection)
            note = tree.cosigned(connection, size, note)
        if witness or add is not None:
            known = Key.parse(witness_key)
            if add is not None:
                note = submit.keep(engine, str(note), add.read(), known, SystemClock())
            else:
                note = submit.submit(engine, witness, known, SystemClock())
    _keep(note, to or [])
    if as_json:
        emit({"size": size, "key": str(public), "note": str(note)})
    else:
        sys.stdout.write(str(note))


def _keep(note: Note, places: list[str]) -> None:
    size = int(note.text.split("\n")[1])
    for place in places:
        anchor(place).put(f"checkpoint-{size:012d}", str(note))


def witness(
    log: Annotated[str, typer.Option(help="Public key of the log to watch.")],
    name: Annotated[str, typer.Option(help="This witness's name, such as witness.example/1.")],
    state: Annotated[Path, typer.Option(help="Folder of its key, and of what it signed last.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT to serve HTTP at.")] = "",
    key: Annotated[bool, typer.Option("--key", help="Print its public key only.")] = False,
    as_json: Json = False,
) -> None:
    """Watch a log from elsewhere: sign its checkpoints as long as it only grows.

    Reads one request of `gateway audit checkpoint --request` from standard input and prints
    the signature, or serves `POST /add-checkpoint` with `--listen`. Needs no database. Run it
    where those who run the gateway cannot reach it.
    """
    watching = Witness(state, name=name, log=Key.parse(log), clock=SystemClock())
    if key:
        sys.stdout.write(f"{watching.key}\n")
    elif listen:
        _serve(watching, listen, as_json=as_json)
    else:
        answer = watching.add(sys.stdin.read())
        if answer.status != 200:
            warn(f"Not signed ({answer.status}): {answer.text.strip()}")
            raise typer.Exit(1)
        if as_json:
            emit({"signature": answer.text})
        else:
            sys.stdout.write(answer.text)


def _serve(watching: Witness, listen: str, *, as_json: bool) -> None:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"--listen: expected HOST:PORT, found {listen[:60]!r}.")
    with WitnessServer((host.strip("[]"), int(port)), watching) as server:
        url = f"http://{host}:{server.server_port}"
        if as_json:
            emit({"key": str(watching.key), "url": url})
        else:
            say(f"Witness {watching.key} at {url}")
        server.serve_forever()


def print_verifier(as_json: Json = False) -> None:
    """Print the program that checks evidence: one file, nothing but Python's standard library.

    `--json` prints its SHA-256 beside it.
    """
    program = Path(verifier.__file__).read_bytes()
    if as_json:
        emit({"sha256": hashlib.sha256(program).hexdigest(), "program": program.decode()})
    else:
        sys.stdout.write(program.decode())
