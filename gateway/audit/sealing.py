"""Payloads under lock and key: AES-256-GCM (NIST SP 800-38D) with data keys that can be destroyed.

A data key belongs to one person and month; it is wrapped with its tenant's key, which never
touches the database. What an entry says of its payload is a commitment: HMAC-SHA256 under a salt
that stands in the payload alone, so that it tells nothing once the payload is gone.

The one file here that knows `cryptography`.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import zlib
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.core.canonical import canonical
from gateway.core.errors import GatewayError

KEY_BYTES = SALT_BYTES = 32
_NONCE_BYTES = 12
# Texts shrink to a third; more effort gains little and costs what every exchange would pay.
_EFFORT = 1


class Unsealable(GatewayError):
    """What is stored is not what was sealed under this key."""


class KeyRow(NamedTuple):
    """One row of `audit_payload_key`."""

    key_id: str
    tenant: str
    subject: str
    month: str
    version: str
    created_ms: int
    wrapped: bytes


class PayloadRow(NamedTuple):
    """One row of `audit_payload`."""

    entry_id: str
    exchange_id: str
    tenant: str
    subject: str
    retention: str
    key_id: str
    ts_ms: int
    sealed: bytes


class Kept(NamedTuple):
    """What is written beside an entry. key: the payload's, if the database may lack it."""

    payload: PayloadRow
    key: KeyRow | None


def spelled(kept: Kept) -> str:
    """As JSON in one line of ASCII, for `read`."""
    return json.dumps([_plain(row) for row in kept], separators=(",", ":"))


def read(text: bytes) -> Kept | None:
    """What `spelled` has written; None if that is nothing.

    Raises ValueError or TypeError for what it has not written.
    """
    if not text:
        return None
    payload, key = json.loads(text)
    row = PayloadRow._make([*payload[:-1], base64.b64decode(payload[-1])])
    return Kept(row, KeyRow._make([*key[:-1], base64.b64decode(key[-1])]) if key else None)


def _plain(row: PayloadRow | KeyRow | None) -> list[Any] | None:
    """The last value of a row is bytes, the others are not."""
    return None if row is None else [*row[:-1], base64.b64encode(row[-1]).decode("ascii")]


def new_salt() -> bytes:
    """The salt of one payload."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(salt: bytes, document: bytes) -> str:
    """What an entry says of its payload, 64 hex digits."""
    return hmac.digest(salt, document, "sha256").hex()


def wrap(tenant_key: bytes, row: KeyRow, key: bytes) -> KeyRow:
    """The row with this data key in it, wrapped."""
    return row._replace(wrapped=_seal(tenant_key, key, _of_key(row)))


def unwrap(tenant_key: bytes, row: KeyRow) -> bytes:
    """The data key. Raises Unsealable."""
    return _open(tenant_key, row.wrapped, _of_key(row))


def seal(key: bytes, row: PayloadRow, salt: bytes, document: bytes) -> PayloadRow:
    """The row with this document in it, readable only as the payload of its entry."""
    packed = salt + zlib.compress(document, _EFFORT)
    return row._replace(sealed=_seal(key, packed, _of_payload(row)))


def unseal(key: bytes, row: PayloadRow) -> tuple[bytes, bytes]:
    """(salt, document). Raises Unsealable."""
    packed = _open(key, row.sealed, _of_payload(row))
    return packed[:SALT_BYTES], zlib.decompress(packed[SALT_BYTES:])


def _of_key(row: KeyRow) -> bytes:
    return canonical(["key", *row[:-1]]).encode("ascii")


def _of_payload(row: PayloadRow) -> bytes:
    return canonical(["payload", *row[:-1]]).encode("ascii")


def _seal(key: bytes, plain: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def _open(key: bytes, sealed: bytes, about: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise Unsealable("it was sealed under another key, or changed") from None
