"""redact: only the kind of thing remains, as in `[EMAIL_ADDRESS]`."""

from __future__ import annotations

from gateway.core.judgement import Effect
from gateway.core.ports import Vault


class Member:
    """Replaces the match by its category in brackets. Nothing can bring it back."""

    name = "redact"
    changes_text = True
    stops = False
    holds = False
    reroutes = False
    strictness = 60

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """The category in brackets."""
        return f"[{effect.finding.category}]"
