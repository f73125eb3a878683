"""Models and services elsewhere that judge whole texts.

A family: each module here without a leading underscore is one kind of assessor and holds

    def build(options: Cursor) -> Method

which reads its own options (ConfigError with file and line). A method turns texts into calls
and answers into findings; sending, waiting and remembering are the same for all (`_asking`).
Installed packages join through the entry-point group `gateway.assessors`.
"""

from __future__ import annotations

from gateway.detectors._assessors._asking import Configured, RemoteAssessor
from gateway.detectors._assessors._building import build, unsure
from gateway.detectors._assessors._family import GROUP, kinds
from gateway.detectors._assessors._reading import read

__all__ = ["GROUP", "Configured", "RemoteAssessor", "build", "kinds", "read", "unsure"]
