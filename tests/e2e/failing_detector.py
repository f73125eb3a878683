"""A detector that fails in every way: installed for one test as an entry point."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.core.ports import Trigger

NAME = "failing"


def build(options: Mapping[str, Any]) -> Failing:
    return Failing()


class Failing:
    """Does what the text says: RAISE, DIE or LOAF."""

    name = NAME
    version = "1"
    categories = frozenset({"CREDIT_CARD"})

    def load(self) -> list[Trigger]:
        return [Trigger("word", "RAISE|DIE|LOAF|NOTHING", 8)]

    def detect(self, texts: list[str], hints: list[Any]) -> list[list[Any]]:
        for text in texts:
            if "RAISE" in text:
                raise RuntimeError(f"I saw {text}")
            if "DIE" in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "LOAF" in text:
                time.sleep(60)
        return [[] for _ in texts]


def install(folder: Path) -> None:
    """Make it a distribution in this folder, which must be on the path of the gateway."""
    (folder / "failing_detector.py").write_text(Path(__file__).read_text())
    info = folder / "failing_detector-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: failing-detector\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[gateway.detectors]\n{NAME} = failing_detector\n")
