"""Texts that commands work on: given, from a file, or from standard input; and where in them."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.core.errors import ConfigError


def read_text(source: str) -> str:
    """The text of a file, or of standard input for `-`. Raises ConfigError."""
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return data.decode("utf-8")
    except OSError as err:
        raise ConfigError(f"{source}: cannot be read: {err.strerror}.") from err
    except UnicodeDecodeError as err:
        raise ConfigError(f"{source}: expected UTF-8 text; byte {err.start} is none.") from err


def place(text: str, start: int) -> str:
    """Line and column of a character, both from 1."""
    before = text[:start]
    return f"{before.count(chr(10)) + 1}:{start - before.rfind(chr(10))}"
