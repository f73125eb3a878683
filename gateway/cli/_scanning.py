"""All enabled detectors, loaded into this process for one command."""

from __future__ import annotations

from gateway.app import enabled
from gateway.cli._output import console
from gateway.detectors._scan import Scanner
from gateway.settings import Settings


def load_scanner(found: Settings) -> Scanner:
    """Takes seconds, and says so to people who watch. Raises ConfigError."""
    out = console(stderr=True)
    if not out.is_terminal:
        return Scanner(enabled(found), cache_dir=found.data_dir / "cache")
    with out.status("Loading the detectors ..."):
        return Scanner(enabled(found), cache_dir=found.data_dir / "cache")
