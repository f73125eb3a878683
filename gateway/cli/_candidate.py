"""Bundles as commands name them: files, folders, a digest, or what is in force."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.cli._desk import desk
from gateway.configured import bundle, compiler
from gateway.policy.bundle import PolicyBundle
from gateway.settings import Settings

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
HELP = "File, folder, shipped policy, or at least 8 characters of a stored bundle's digest."


def named(found: Settings, name: str) -> PolicyBundle:
    """The bundle. Raises ConfigError with file and line of what is wrong with it."""
    if Path(name).exists() or not _DIGEST.fullmatch(name):
        return bundle(found, name)
    with desk() as (_, at, _):
        texts = at.store.texts(at.find(name))
    return compiler(found)(texts)


def in_force(found: Settings) -> PolicyBundle:
    """What judges now: the bundle that was activated, else the files."""
    with desk() as (_, at, _):
        active = at.state().active
        texts = at.store.texts(active) if active else []
    return compiler(found)(texts) if active else bundle(found)
