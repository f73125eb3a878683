"""block: the message goes no further."""

from __future__ import annotations

from gateway.actions._passive import Passive


class Member(Passive):
    """Stops the message; the caller is told which rule did it, never what matched."""

    name = "block"
    stops = True
    strictness = 100
