"""The frame of a try: a temporary folder, and the ends of its logs if something breaks."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import anthropic
import openai
from _processes import HERE, Failed

LOG_CHARS = 4_000


def trying(attempt: Callable[[Path], int], name: str) -> int:
    """What `attempt` returns for a folder of its own, or 1 if it could not get to its end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # A proxy has no business between processes of one machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = HERE
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as path:
        folder = Path(path)
        try:
            return attempt(folder)
        except (Failed, openai.OpenAIError, anthropic.AnthropicError) as err:
            print(f"error: {err}", file=sys.stderr)
            for log in folder.glob("*.log"):
                end = log.read_text(errors="replace")[-LOG_CHARS:]
                print(f"\nThe end of {log.name}:\n{end}", file=sys.stderr)
            return 1


def absolute(name: str) -> Path:
    """The path from the root, links left as they are: a link is what makes an environment."""
    return Path(name).absolute()
