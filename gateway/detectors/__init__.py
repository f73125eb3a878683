"""What can find things in a text.

A family: each module here without a leading underscore is one detector and holds

    def build(options: Mapping[str, Any]) -> Detector

which checks the options (ConfigError) and imports nothing slow: that is left to
`Detector.load`, which runs in a worker process. `name`, `version` and `categories` are
known before `load`. Installed packages join through the entry-point group
`gateway.detectors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.family import discover
from gateway.core.ports import Detector
from gateway.documents import unknown

GROUP = "gateway.detectors"


def known() -> tuple[str, ...]:
    """The names of all detectors, sorted."""
    return tuple(discover(__name__, GROUP))


def create(enabled: Mapping[str, Mapping[str, Any]]) -> list[Detector]:
    """The detectors of these names with these options, not yet loaded, in order of name.

    Raises ConfigError for an unknown name or an option that a detector does not take.
    """
    members = discover(__name__, GROUP)
    found: list[Detector] = []
    for name in sorted(enabled):
        if name not in members:
            raise ConfigError(f"Unknown detector {name!r}.{unknown(name, members)}")
        build = getattr(members[name], "build", None)
        if build is None:
            raise ConfigError(f"{GROUP}: {members[name].__name__} has no function build.")
        detector: Detector = build(enabled[name])
        if detector.name != name:
            raise ConfigError(
                f"{GROUP}: {members[name].__name__} is found as {name!r} but calls itself "
                f"{detector.name!r}."
            )
        found.append(detector)
    return found
