"""What a log says of itself in a signed note: c2sp.org/tlog-checkpoint, v1."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.audit.merkle import HASH_BYTES
from gateway.core.note import Key, Note, NoteError, decoded, encoded
from gateway.signing import require

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its name, how many leaves it has, and their root."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From a note's text. Raises NoteError, also for lines beyond the third.

        Nobody could verify what such lines say.
        """
        lines = text.split("\n")
        raw = decoded(lines[2]) if len(lines) == 4 else b""
        if len(raw) != HASH_BYTES or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise NoteError("expected a checkpoint: lines of origin, size and root")
        return cls(lines[0], int(lines[1]), raw)

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


def checkpoint(note: Note, key: Key) -> Checkpoint:
    """What the note says, if this log's key signed it. Raises NoteError."""
    require(note, key)
    found = Checkpoint.parse(note.text)
    if found.origin != key.name:
        raise NoteError(f"a checkpoint of {found.origin}, but the key is that of {key.name}")
    return found
