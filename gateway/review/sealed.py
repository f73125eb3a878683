"""Encryption of what reviewers read: AES-256-GCM (NIST SP 800-38D) under the tenant's key.

The one file here that knows `cryptography`.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.core.errors import ConfigError

_NONCE_BYTES = 12


class Seals:
    """Seals and opens JSON values. key: (tenant) -> 32 secret bytes for reviews."""

    def __init__(self, key: Callable[[str], bytes]) -> None:
        self._key = key

    def seal(self, tenant: str, review_id: str, name: str, value: Any) -> bytes:
        """The value, readable only as this text of this review."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        text = json.dumps(value).encode()
        return nonce + self._cipher(tenant, review_id).encrypt(nonce, text, name.encode())

    def open(self, tenant: str, review_id: str, name: str, sealed: bytes) -> Any:
        """The value. Raises ConfigError if it was sealed under another key, or changed."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = self._cipher(tenant, review_id).decrypt(nonce, text, name.encode())
        except InvalidTag:
            raise ConfigError(
                f"Review {review_id} cannot be read: it was stored under another keyring "
                "(GATEWAY_KEYRING), or changed."
            ) from None
        return json.loads(plain)

    def _cipher(self, tenant: str, review_id: str) -> AESGCM:
        """A key for each review: so few texts share one that nonces may be random."""
        return AESGCM(hmac.digest(self._key(tenant), review_id.encode(), "sha256"))
