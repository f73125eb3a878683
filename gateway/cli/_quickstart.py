"""What `gateway serve --quickstart` makes before it serves, and never makes twice."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from gateway import db
from gateway.cli._open import make_data_folder
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring
from gateway.identity.keys import KeyStore
from gateway.settings import Settings, shipped

FILE = "first-key"
NAME = "first key"


@dataclass(frozen=True, slots=True)
class FirstKey:
    """The key that was made for trying the gateway. text: empty if there is none to show."""

    path: Path
    text: str = field(default="", repr=False)
    made_now: bool = False


def prepare(settings: Settings) -> FirstKey:
    """Make data folder, tables, keyring and first key where they are missing."""
    make_data_folder(settings)
    db.upgrade(settings.database, shipped("migrations"))
    Keyring.open(settings.keyring_path)
    return _first_key(settings)


def _first_key(settings: Settings) -> FirstKey:
    path = settings.data_dir / FILE
    engine = db.open_engine(settings.database)
    try:
        keys = KeyStore(engine, clock=SystemClock())
        keys.refresh()
        if not keys.list():
            _, text = keys.new(NAME, roles=("admin",))
            _keep(path, text)
            return FirstKey(path, text, made_now=True)
        text = _kept(path)
        # Revoked, expired or of another database: not worth showing.
        return FirstKey(path, text if keys.authenticate(text) else "")
    finally:
        engine.dispose()


def _kept(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _keep(path: Path, text: str) -> None:
    """Written for its owner alone; what was there before is of no use."""
    try:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
    except OSError as err:
        raise ConfigError(f"{path}: the first key cannot be kept: {err.strerror}.") from err
