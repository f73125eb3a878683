"""The gateway's own secrets: one JSON file with the audit key and the root of tenant keys.

Losing the file means that old seals can no longer be checked and that placeholders
change; leaking it means that both can be forged. It is never in the database.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.errors import ConfigError

KEY_BYTES = 32
_FIELDS = ("audit", "tenant_root")


@dataclass(frozen=True, slots=True)
class Keyring:
    """Random keys of 32 bytes, each for one purpose."""

    audit_key: bytes = field(repr=False)
    tenant_root: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Keyring:
        """New random keys."""
        return cls(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Keyring:
        """Read the file, or make it (mode 0600) if it is not there and `create` is set.

        Of several processes that make it at once, one wins and all read that one.
        Raises ConfigError if it cannot be read, is damaged, or others may read it.
        """
        if create and not path.exists():
            _write_new(path, cls.fresh().text())
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as err:
            raise ConfigError(f"{path}: the keyring cannot be read: {_reason(err)}.") from err
        if os.name == "posix" and mode & 0o077:
            raise ConfigError(
                f"{path}: the keyring has mode {mode & 0o777:04o}, so others may read it. "
                f"Expected 0600; run: chmod 600 {path}"
            )
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "keyring") -> Keyring:
        """A keyring from its JSON text. Raises ConfigError, which names `source`, not the text."""
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            raise ConfigError(f"{source}: expected a JSON object, found no valid JSON.") from None
        if not isinstance(value, dict) or value.get("v") != 1:
            raise ConfigError(f'{source}: expected a keyring of version 1 ({{"v": 1, ...}}).')
        return cls(*(_key(value, name, source) for name in _FIELDS))

    def text(self) -> str:
        """The JSON text that `parse` reads. Secret."""
        keys = (self.audit_key, self.tenant_root)
        encoded = {
            name: base64.b64encode(key).decode() for name, key in zip(_FIELDS, keys, strict=True)
        }
        return json.dumps({"v": 1, **encoded}, indent=2) + "\n"

    def tenant_key(self, tenant: str) -> bytes:
        """The 32-byte key of one tenant: HMAC-SHA256(root, "tenant:" || name)."""
        return hmac.digest(self.tenant_root, b"tenant:" + tenant.encode(), "sha256")

    def seal(self, tenant: str, data: bytes) -> str:
        """Keyed digest of some bytes of a tenant's, 64 hex digits, as records name it."""
        return hmac.digest(self.seal_key(tenant), data, "sha256").hex()

    def seal_key(self, tenant: str) -> bytes:
        """The 32-byte key of such digests: HMAC-SHA256(its key, "seal")."""
        return hmac.digest(self.tenant_key(tenant), b"seal", "sha256")

    def review_key(self, tenant: str) -> bytes:
        """The 32-byte key of a tenant's held requests: HMAC-SHA256(its key, "review")."""
        return hmac.digest(self.tenant_key(tenant), b"review", "sha256")

    def quiet_key(self, tenant: str) -> bytes:
        """The 32-byte key of a tenant's quiet values: HMAC-SHA256(its key, "quiet")."""
        return hmac.digest(self.tenant_key(tenant), b"quiet", "sha256")

    @property
    def works_key(self) -> bytes:
        """The 32-byte key of registered works: HMAC-SHA256(root, "works")."""
        return hmac.digest(self.tenant_root, b"works", "sha256")


def _key(value: dict[str, object], name: str, source: str) -> bytes:
    encoded = value.get(name)
    try:
        key = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{source}: expected {KEY_BYTES} bytes in base64 under {name!r}.")
    return key


def _write_new(path: Path, text: str) -> None:
    """Put the file there whole or not at all; an existing one is left alone."""
    try:
        handle, name = tempfile.mkstemp(prefix=".keyring-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
        _sync_folder(path.parent)
    except OSError as err:
        raise ConfigError(f"{path}: the keyring cannot be made: {_reason(err)}.") from err


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(err: Exception) -> str:
    return (err.strerror if isinstance(err, OSError) else None) or "it is not plain text"
