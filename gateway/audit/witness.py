"""A witness: signs that a log has only ever grown, and keeps what contradicts that.

Meant to run elsewhere, under another's control: it needs the log's public key and a folder,
no database. What it takes and answers is C2SP's tlog-witness (c2sp.org/tlog-witness, v1),
`add-checkpoint`, by HTTP or as texts that are carried to it in any other way.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.core.errors import ConfigError
from gateway.core.note import Key, Note, NoteError
from gateway.core.ports import Clock
from gateway.signing import Cosigner

if sys.platform != "win32":
    import fcntl

MAX_PROOF = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SEED_BYTES = 32
_EMPTY = Checkpoint("", 0, merkle.EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class Answer:
    """status: as HTTP's. text: a line of signature if it is 200, the known size if 409."""

    status: int
    text: str
    media: str = "text/plain; charset=utf-8"


class Witness:
    """Watches one log. folder: what it remembers; one witness a folder."""

    def __init__(self, folder: Path, *, name: str, log: Key, clock: Clock) -> None:
        self._folder = folder
        self._log = log
        self._clock = clock
        self._cosigner = Cosigner(name, _seed(folder / "witness.key"))
        self._lock = threading.Lock()

    @property
    def key(self) -> Key:
        """Its public key, for whoever checks its signatures."""
        return self._cosigner.key

    def latest(self) -> Note | None:
        """The newest checkpoint that it signed; None before the first.

        Raises ConfigError if what it remembers cannot be read: it must not begin anew.
        """
        path = self._folder / "latest"
        try:
            note = Note.parse(path.read_text(encoding="utf-8"))
            checkpoint(note, self._log)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, NoteError) as err:
            raise ConfigError(f"{path}: what this witness signed last cannot be read.") from err
        return note

    def add(self, request: str) -> Answer:
        """Sign a checkpoint if it continues the last one that was signed."""
        head, gap, rest = request.partition("\n\n")
        old, *proof_lines = head.split("\n")
        size = _OLD.fullmatch(old)
        proof = [_hash(line) for line in proof_lines]
        if not (gap and size) or None in proof or len(proof) > MAX_PROOF:
            return Answer(400, "expected: old SIZE, lines of proof, an empty line, a checkpoint\n")
        try:
            note = Note.parse(rest)
            if note.text.partition("\n")[0] != self._log.name:
                return Answer(404, "this witness does not know that log\n")
            new = checkpoint(note, self._log)
        except NoteError as err:
            return Answer(403, f"{err}\n")
        with self._alone():
            return self._grown(int(size[1]), [h for h in proof if h is not None], note, new)

    def _grown(self, old: int, proof: list[bytes], note: Note, new: Checkpoint) -> Answer:
        latest = self.latest()
        known = _EMPTY if latest is None else Checkpoint.parse(latest.text)
        if old > new.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        if old != known.size:
            return Answer(409, f"{known.size}\n", "text/x.tlog.size")
        if not merkle.consistent(known.size, new.size, proof, known.root, new.root):
            # Signed by the log, and no continuation: with `latest` it proves what the log did,
            # unless it is only the proof that is wrong.
            _keep(self._folder / f"conflict-{new.size}-{new.root.hex()[:16]}", str(note))
            if known.size == new.size:
                return Answer(409, f"{known.size}\n", "text/x.tlog.size")
            return Answer(422, "the proof does not show that the log has only grown\n")
        signed = self._cosigner.cosign(note, self._clock.now_ms() // 1000)
        _keep(self._folder / "latest", str(signed))
        return Answer(200, str(signed.by(self.key)[0]))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No two checks at once, of whatever process: else one could undo the other's."""
        with self._lock:
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if sys.platform != "win32":
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def _hash(line: str) -> bytes | None:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == merkle.HASH_BYTES else None


def _seed(path: Path) -> bytes:
    """The witness's secret, made if it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_SEED_BYTES))
                file.flush()
                os.fsync(file.fileno())
        seed = path.read_bytes()
    except OSError as err:
        raise ConfigError(f"{path}: the witness's key cannot be read: {err.strerror}.") from err
    if len(seed) != _SEED_BYTES:
        raise ConfigError(f"{path}: expected {_SEED_BYTES} bytes, found {len(seed)}.")
    return seed


def _keep(path: Path, text: str) -> None:
    """Put the file there, whole and durable, in place of an older one."""
    handle, name = tempfile.mkstemp(prefix=".witness-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
