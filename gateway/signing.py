"""Ed25519 (RFC 8032) under notes. The one file that knows `cryptography`."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from gateway.core.note import LOG, WITNESS, Key, Note, NoteError, Signature, cosigned

_TIME_BYTES = 8


class Signer:
    """Whoever signs with no time under it, as a log does. name: its own. seed: 32 secret bytes."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, LOG, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Note:
        """The text, which ends with a newline, as a note with this key's signature."""
        value = self._private.sign(text.encode())
        return Note(text, (Signature(self.key.name, self.key.id, value),))


class Cosigner:
    """A witness's secret key."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, WITNESS, self._private.public_key().public_bytes_raw())

    def cosign(self, note: Note, time_s: int) -> Note:
        """The note with this witness's signature under the others', in place of an older one."""
        stamp = time_s.to_bytes(_TIME_BYTES, "big")
        value = stamp + self._private.sign(cosigned(note.text, time_s))
        others = tuple(s for s in note.signatures if s not in note.by(self.key))
        return Note(note.text, (*others, Signature(self.key.name, self.key.id, value)))


def require(note: Note, key: Key) -> int:
    """When a witness signed, in seconds since 1970; 0 for a log.

    Raises NoteError if the key did not sign, or a signature that claims to be its is not.
    """
    claimed = note.by(key)
    if not claimed:
        raise NoteError(f"there is no signature by {key.name}")
    times = [_time(note.text, key, signature.value) for signature in claimed]
    if None in times:
        raise NoteError(f"the signature by {key.name} does not hold")
    return max(time for time in times if time is not None)


def _time(text: str, key: Key, value: bytes) -> int | None:
    time_s, message = 0, text.encode()
    if key.kind == WITNESS:
        time_s, value = int.from_bytes(value[:_TIME_BYTES], "big"), value[_TIME_BYTES:]
        message = cosigned(text, time_s)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError):
        return None
    return time_s
