"""What the actions that leave the text alone have in common."""

from __future__ import annotations

from gateway.core.judgement import Effect
from gateway.core.ports import Vault


class Passive:
    """An action without a replacement."""

    changes_text = False
    stops = False
    holds = False
    reroutes = False

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """The text itself; nobody asks, for `changes_text` is false."""
        return text
