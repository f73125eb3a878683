"""A gateway before the pretended vendors, with a policy that may block answers too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway


@contextmanager
def opened(
    vendors: Vendors, request: pytest.FixtureRequest, *, catalogue: str, blocking: bool = False
) -> Iterator[Gateway]:
    """The default policy. blocking: a secret blocks an answer too, wherever in it it stands."""
    template: Path = request.getfixturevalue("_sqlite_template")
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    folder = folders.mktemp("gateway")
    running = Gateway(
        folder,
        vendors,
        database_url=f"sqlite:///{shutil.copy(template, folder / 'gateway.db')}",
        catalogue=catalogue,
    )
    try:
        if blocking:
            _block_answers(running.policy)
        running.start()
        yield running
    finally:
        running.close()


def _block_answers(policy: Path) -> None:
    text = policy.read_text()
    redacts, blocks = (f"then: {do}\n      reason: SECRET_IN" for do in ("redact", "block"))
    assert redacts in text
    policy.write_text(text.replace(redacts, blocks))
