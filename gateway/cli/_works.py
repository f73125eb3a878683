"""Works to look for in one command: those of a file, or those that are registered here."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from gateway import db
from gateway.cli._open import database
from gateway.clock import SystemClock
from gateway.detectors._verbatim.store import Register
from gateway.detectors._verbatim.works import Works, fingerprint
from gateway.evaluation.datasets import Work
from gateway.identity.keyring import Keyring
from gateway.settings import Settings, shipped


def of(works: Sequence[Work]) -> Works:
    """These works, as a running gateway has those that are registered.

    Under a key that is forgotten with them.
    """
    key = secrets.token_bytes(32)
    named = ((work.doc or str(number), work) for number, work in enumerate(works, 1))
    return Works([(name, fingerprint(work.text, key)) for name, work in named], key)


def here(found: Settings) -> Works:
    """Those in the database, if there is one that can be read as it is; none is made."""
    if not found.keyring_path.exists() or not _at_hand(found):
        return Works((), b"")
    key = Keyring.open(found.keyring_path, create=False).works_key
    with database(found) as engine:
        register = Register(engine, key, SystemClock())
        return Works(register.fetch([info.id for info in register.infos()]), key)


def _at_hand(found: Settings) -> bool:
    url = db.normalise(found.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return False
    return db.current(found.database) == db.head(shipped("migrations"))
