"""flag: put it on record, change nothing."""

from __future__ import annotations

from gateway.actions._passive import Passive


class Member(Passive):
    """Writes the finding to the audit log with the rule's reason."""

    name = "flag"
    strictness = 10
