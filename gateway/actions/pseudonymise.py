"""pseudonymise: a placeholder goes out, and the original comes back with the answer."""

from __future__ import annotations

from gateway.core.judgement import Effect
from gateway.core.ports import Vault


class Member:
    """Replaces the match by the vault's placeholder, the same one in every turn."""

    name = "pseudonymise"
    changes_text = True
    stops = False
    holds = False
    strictness = 40

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """The placeholder, such as `PERSON_K7Q2MX`."""
        return vault.placeholder(effect.finding.category, text)
