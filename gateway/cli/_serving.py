"""What `gateway serve` does: prepare, serve, and tell when it is ready."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

from gateway import __version__
from gateway import serve as serving
from gateway.cli import _welcome
from gateway.cli._open import explained
from gateway.cli._output import console, emit
from gateway.cli._quickstart import FirstKey, prepare
from gateway.detectors._channel import Launched
from gateway.settings import Settings


def run(found: Settings, *, launched: Launched | None, quickstart: bool, as_json: bool) -> int:
    """Serve until told to stop; the exit code. launched: a detection worker on its way."""
    serving.set_up_logging(found)
    with ExitStack() as stack:
        stack.enter_context(explained(found))
        key = prepare(found) if quickstart else None
        waiting = stack.enter_context(ExitStack())
        if not as_json and console().is_terminal:
            waiting.enter_context(console().status("Warming the detectors ..."))

        def ready() -> None:
            waiting.close()
            _tell(found, key, as_json=as_json)

        return serving.serve(found, on_ready=ready, launched=launched)


def _tell(found: Settings, key: FirstKey | None, *, as_json: bool) -> None:
    if not as_json:
        _welcome.show(found, key)
        return
    facts: dict[str, Any] = {
        "event": "ready",
        "version": __version__,
        "pid": os.getpid(),
        "url": _welcome.base_url(found),
        "admin_url": _welcome.admin_url(found),
        "data": str(found.data_dir),
        "models": [{"name": m.name, "missing": m.missing} for m in _welcome.models(found)],
    }
    if key is not None:
        facts["key"] = key.text or None
    emit(facts)
    console().file.flush()
