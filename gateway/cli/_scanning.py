"""All enabled detectors, loaded into this process for one command."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.cli._output import console
from gateway.configured import enabled, sieve
from gateway.core.ports import Following
from gateway.detectors._channel import ONE_THREAD
from gateway.detectors._scan import Scanner
from gateway.settings import Settings


def load_scanner(found: Settings, following: Following | None = None) -> Scanner:
    """Takes seconds, and says so to people who watch. Raises ConfigError.

    What is compiled is kept where the settings say, or in the data folder if there is one; none
    is made for it.
    """
    os.environ.update(ONE_THREAD)
    out = console(stderr=True)
    with ExitStack() as stack:
        if out.is_terminal:
            stack.enter_context(out.status("Loading the detectors ..."))
        if found.cache or found.data_dir.is_dir():
            cache = found.cache_dir
        else:
            cache = Path(stack.enter_context(TemporaryDirectory(prefix="gateway-")))
        return Scanner(enabled(found), cache_dir=cache, following=following, sieve=sieve(found))
