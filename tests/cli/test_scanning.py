"""Detectors that run in a command's own process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_LOADS = """
import os
from gateway.cli._scanning import load_scanner
from gateway.settings import Settings

load_scanner(Settings(detectors="names,content", data={folder!r})).scan("Who is Ada?")
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_numpy_starts_no_threads_of_its_own(tmp_path: Path) -> None:
    free = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    code = _LOADS.format(folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], env=free, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == 1
