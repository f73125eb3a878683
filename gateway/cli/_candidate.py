"""Bundles as commands name them: files, folders, a digest, or what is in force."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.cli._desk import desk
from gateway.cli._open import database, is_there
from gateway.configured import bundle, compiler
from gateway.documents import Document
from gateway.policy.bundle import PolicyBundle
from gateway.settings import Settings
from gateway.terms.ledger import Approval, Ledger
from gateway.terms_in_use import from_terms

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
HELP = "File, folder, shipped policy, or at least 8 characters of a stored bundle's digest."


def named(found: Settings, name: str) -> PolicyBundle:
    """The bundle. Raises ConfigError with file and line of what is wrong with it."""
    made = _from_terms(found)
    if Path(name).exists() or not _DIGEST.fullmatch(name):
        return bundle(found, name, made=made)
    with desk() as (_, at, _):
        texts = at.store.texts(at.find(name))
    return compiler(found, lambda: made)(texts)


def in_force(found: Settings) -> PolicyBundle:
    """What judges now: the bundle that was activated, else the files."""
    made = _from_terms(found)
    if not is_there(found):
        return bundle(found, made=made)
    with desk() as (_, at, _):
        active = at.state().active
        texts = at.store.texts(active) if active else []
    return compiler(found, lambda: made)(texts) if active else bundle(found, made=made)


def _from_terms(found: Settings) -> list[Document]:
    """The policies that stand behind any others; before there is a database, of drafts."""
    if not is_there(found):
        return from_terms(found, [])
    with database(found) as engine:
        return from_terms(found, Ledger(engine).all(Approval))
