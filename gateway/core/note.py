"""Texts with signatures under them, as logs, witnesses and policy bundles carry them.

Signed notes and verifier keys: c2sp.org/signed-note, v1. Cosignatures:
c2sp.org/tlog-cosignature, v1, of the Ed25519 kind. Only their forms are here; what is signed is
checked in `gateway.signing`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from gateway.core.errors import GatewayError

LOG = 1
WITNESS = 4
_KINDS = {LOG: "log", WITNESS: "witness"}
_PUBLIC_BYTES = 32
MAX_NOTE_CHARS = 64 * 1024
_NAME = re.compile(r"[^\s+]+")


class NoteError(GatewayError):
    """A note, key or checkpoint that is not of the form, or whose signature does not hold."""


@dataclass(frozen=True, slots=True)
class Key:
    """Who signs, and how: kind is LOG (plain Ed25519) or WITNESS (with the time)."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError("the name of a key has neither spaces nor plus signs")

    @classmethod
    def parse(cls, text: str) -> Key:
        """A key from its text, `name+id+base64`. Raises NoteError."""
        parts = text.strip().split("+", 2)
        raw = decoded(parts[2]) if len(parts) == 3 else b""
        if len(raw) != 1 + _PUBLIC_BYTES or raw[0] not in _KINDS:
            raise NoteError("expected a verifier key: name+id+key, of an Ed25519 log or witness")
        key = cls(parts[0], raw[0], raw[1:])
        if key.id.hex() != parts[1]:
            raise NoteError(f"the verifier key of {key.name} was mistyped: its id does not fit")
        return key

    @property
    def id(self) -> bytes:
        """4 bytes that, with the name, tell keys apart. They prove nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._material).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encoded(self._material)}"

    @property
    def _material(self) -> bytes:
        return bytes([self.kind]) + self.public


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note."""

    name: str
    key_id: bytes
    value: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """From `— name base64`. Raises NoteError."""
        dash, name, encoded = ([*line.split(" "), "", ""])[:3]
        raw = decoded(encoded)
        if dash != "—" or not _NAME.fullmatch(name) or len(raw) < 5 or line.count(" ") != 2:
            raise NoteError("expected a signature line: — name base64")
        return cls(name, raw[:4], raw[4:])

    def __str__(self) -> str:
        return f"— {self.name} {encoded(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, text: str) -> Note:
        """From its text. Raises NoteError."""
        body, gap, under = text.rpartition("\n\n")
        odd = any(char < " " and char != "\n" for char in text)
        if not gap or not body or not under.endswith("\n") or odd or len(text) > MAX_NOTE_CHARS:
            raise NoteError("expected a signed note: a text, an empty line, lines of signatures")
        signatures = tuple(Signature.parse(line) for line in under[:-1].split("\n"))
        return cls(body + "\n", signatures)

    def by(self, key: Key) -> list[Signature]:
        """The signatures that claim to be by this key."""
        return [s for s in self.signatures if (s.name, s.key_id) == (key.name, key.id)]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


def cosigned(text: str, time_s: int) -> bytes:
    """What a witness signs for a checkpoint's text at a time in seconds since 1970."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def encoded(raw: bytes) -> str:
    """Base64."""
    return base64.b64encode(raw).decode("ascii")


def decoded(text: str) -> bytes:
    """Its bytes, or none if it is not base64 as one would write it."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if encoded(raw) == text else b""
