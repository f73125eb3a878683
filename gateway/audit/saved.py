"""Checkpoints that were kept outside the database: read back, and their signatures checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gateway import signing
from gateway.audit.checkpoint import Checkpoint, checkpoint
from gateway.core.errors import ConfigError
from gateway.core.note import Key, Note, NoteError

# Notes one after the other, as an anchor file has them.
_NOTES = re.compile(r"[^\n]+\n[0-9]+\n[^\n]+\n\n(?:— [^\n]+\n)+")


def read(path: Path, log_key: Key, witnesses: Sequence[Key] = ()) -> list[Checkpoint]:
    """All checkpoints in a file, or in the files of a folder.

    Raises ConfigError if there is none, NoteError if one is not signed by this log, or not
    by each of the witnesses.
    """
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        texts = [file.read_text(encoding="utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: the saved checkpoints cannot be read.") from err
    found = []
    for text in texts:
        for match in _NOTES.findall(text):
            note = Note.parse(match)
            try:
                found.append(checkpoint(note, log_key))
                for witness in witnesses:
                    signing.require(note, witness)
            except NoteError as err:
                raise NoteError(f"{path}: a checkpoint does not hold: {err}.") from err
    if not found:
        raise ConfigError(f"{path}: expected checkpoints, found none.")
    return found
