"""The log's side of witnessing: what is sent to a witness, and what comes back from it."""

from __future__ import annotations

import base64

import httpx
from sqlalchemy import Connection, Engine, insert

from gateway import signing
from gateway.audit import merkle, tiles, tree
from gateway.audit.tables import audit_cosignature
from gateway.core.errors import ConfigError
from gateway.core.note import Key, Note, NoteError, Signature
from gateway.core.ports import Clock
from gateway.db import snapshot, writing

WAIT_S = 10.0
_MAX_SIZE_DIGITS = 19


def request(engine: Engine, old: int) -> str:
    """What asks a witness that knows the first `old` entries to sign the newest checkpoint.

    Raises ConfigError if there is no such beginning.
    """
    with snapshot(engine) as connection:
        size, note = newest(connection)
        if old > size:
            raise ConfigError(f"The witness knows {old:,} entries; this log has {size:,}.")
        proof = merkle.consistency(old, size, tiles.complete(tree.tiles(connection)))
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in proof)]
    return "\n".join(lines) + f"\n\n{note}"


def newest(connection: Connection) -> tuple[int, Note]:
    """(size, note) of the newest checkpoint. Raises ConfigError if there is none."""
    found = tree.newest(connection)
    if found is None:
        raise ConfigError("There is no checkpoint yet. Run: gateway audit sequence --once")
    return found


def submit(engine: Engine, url: str, witness: Key, clock: Clock) -> Note:
    """Have the newest checkpoint cosigned, and keep the signature; the cosigned note.

    url: the witness's submission prefix. Raises ConfigError if it refuses or does not answer.
    """
    text = request(engine, 0)
    answer = _ask(url, text)
    known = answer.text.strip()
    if answer.status_code == 409 and known.isdigit() and len(known) <= _MAX_SIZE_DIGITS:
        text = request(engine, int(known))
        answer = _ask(url, text)
    if answer.status_code != 200:
        raise ConfigError(
            f"{url}: the witness refuses, with status {answer.status_code}. If that is 409 or "
            "422, the log that it knows is another than this: keep both as evidence."
        )
    return keep(engine, text.partition("\n\n")[2], answer.text, witness, clock)


def keep(engine: Engine, checkpoint: str, lines: str, witness: Key, clock: Clock) -> Note:
    """Store a witness's signature under a checkpoint of ours, if it holds; the cosigned note."""
    note = Note.parse(checkpoint)
    try:
        found = [Signature.parse(line) for line in lines.splitlines() if line]
        cosigned = Note(note.text, (*note.signatures, *found))
        signing.require(cosigned, witness)
    except NoteError as err:
        raise ConfigError(f"What the witness answered is no signature of its: {err}") from err
    size = int(note.text.split("\n")[1])
    row = {
        "size": size,
        "witness": witness.name,
        "ts_ms": clock.now_ms(),
        "line": str(cosigned.by(witness)[-1]).rstrip("\n"),
    }
    with writing(engine) as connection:
        connection.execute(insert(audit_cosignature).values(row))
    return cosigned


def _ask(url: str, text: str) -> httpx.Response:
    try:
        return httpx.post(f"{url.rstrip('/')}/add-checkpoint", content=text, timeout=WAIT_S)
    except httpx.HTTPError as err:
        raise ConfigError(f"{url}: the witness does not answer.") from err
