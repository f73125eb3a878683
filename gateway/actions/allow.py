"""allow: an exception. The later rules of the same policy do not see the finding."""

from __future__ import annotations

from gateway.actions._passive import Passive


class Member(Passive):
    """Lets a finding through on purpose, and leaves a trace of who said so."""

    name = "allow"
    strictness = 0
