"""Where the keys of tenants come from with which the data keys of payloads are wrapped.

Implements `gateway.core.ports.TenantKeys` with master keys that a file, an environment variable or
the keyring holds. Packages add others, such as a key management service, through the entry-point
group `gateway.payload_keys`: each names a module with `open(rest)`, which takes what the setting
says behind the name and a colon.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.ports import TenantKeys
from gateway.identity.keyring import KEY_BYTES, Keyring

GROUP = "gateway.payload_keys"
KEYRING, FILE, ENVIRONMENT = "keyring", "file", "env"


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Keys of 32 random bytes by version; each tenant's follow from them.

    A tenant's key is HMAC-SHA256(master key, "payload:" || tenant).
    """

    newest: str
    keys: Mapping[str, bytes] = field(repr=False)

    def key(self, tenant: str, version: str) -> bytes:
        """The tenant's key. Raises ConfigError if there is no such version."""
        if version not in self.keys:
            raise ConfigError(
                f"Payloads were sealed with the keys of version {version[:40]!r}, and "
                f"GATEWAY_AUDIT_PAYLOAD_KEYS has {', '.join(sorted(self.keys))}. Put it back, or "
                "what is sealed with it stays unreadable."
            )
        return hmac.digest(self.keys[version], b"payload:" + tenant.encode(), "sha256")

    @classmethod
    def parse(cls, text: str, source: str) -> MasterKeys:
        """From JSON text: {"v": 1, "newest": NAME, "keys": {NAME: 32 bytes in base64}}.

        Raises ConfigError, which names `source`, not the text.
        """
        form = f'{source}: expected {{"v": 1, "newest": NAME, "keys": {{NAME: base64}}}}'
        try:
            value: Any = json.loads(text)
        except ValueError:
            raise ConfigError(f"{form}, found no valid JSON.") from None
        if not isinstance(value, dict) or value.get("v") != 1:
            raise ConfigError(f"{form}, found another form.")
        newest, found = value.get("newest"), value.get("keys")
        if not (isinstance(found, dict) and isinstance(newest, str) and newest in found):
            raise ConfigError(f"{form} with the newest among the keys.")
        return cls(newest, {name: _key(each, source) for name, each in found.items()})


def open_keys(said: str, keyring: Keyring) -> TenantKeys:
    """The keys that GATEWAY_AUDIT_PAYLOAD_KEYS names. Raises ConfigError.

    said: `keyring`, `file:PATH`, `env:VARIABLE`, or the name of an installed source, a colon and
    what that one takes.
    """
    name, _, rest = said.partition(":")
    if name == KEYRING:
        return MasterKeys(
            KEYRING, {KEYRING: hmac.digest(keyring.tenant_root, b"payload", "sha256")}
        )
    if name == FILE:
        return MasterKeys.parse(_read(Path(rest)), rest)
    if name == ENVIRONMENT:
        if rest not in os.environ:
            raise ConfigError(f"GATEWAY_AUDIT_PAYLOAD_KEYS names {rest[:40]!r}, which is not set.")
        return MasterKeys.parse(os.environ[rest], rest)
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        known = ", ".join((KEYRING, f"{FILE}:PATH", f"{ENVIRONMENT}:VARIABLE", *sorted(points)))
        raise ConfigError(
            f"GATEWAY_AUDIT_PAYLOAD_KEYS: there is no source {name[:40]!r}. Known: {known}."
        )
    opened: TenantKeys = import_module(points[name].value).open(rest)
    return opened


def _read(path: Path) -> str:
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: the keys of payloads cannot be read.") from err
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(
            f"{path}: the keys of payloads have mode {mode & 0o777:04o}, so others may read them. "
            f"Expected 0600; run: chmod 600 {path}"
        )
    return text


def _key(encoded: object, source: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{source}: expected {KEY_BYTES} bytes in base64 for each key.")
    return key
