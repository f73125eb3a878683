"""pseudonymise: something else goes out, and the original comes back with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.judgement import Effect, Manner
from gateway.core.message import Kind
from gateway.core.ports import Vault

STYLES = ("placeholder", "realistic")
# The kinds of text that an answer may hold.
PLACES = (Kind.TEXT, Kind.REASONING, Kind.REFUSAL, Kind.TOOL_ARGUMENTS, Kind.METADATA, Kind.ERROR)


class Member:
    """Replaces the match by what the vault has for it, the same in every turn."""

    name = "pseudonymise"
    changes_text = True
    stops = False
    holds = False
    reroutes = False
    strictness = 40

    def replacement(self, text: str, effect: Effect, vault: Vault) -> str:
        """The placeholder, such as `PERSON_K7Q2MX`, or a surrogate if the rule says so."""
        return vault.placeholder(effect.finding.category, text, effect.manner)

    def manner(self, parameters: Mapping[str, Any]) -> Manner:
        """How it is to be done.

        parameters: `style`, see `STYLES`; `restore`, a list of the places where the original
        comes back, see `PLACES`; empty for nowhere. Raises ValueError for anything else.
        """
        for name in parameters:
            if name not in ("style", "restore"):
                raise ValueError(f"unknown parameter {name!r}. Known: restore, style.")
        style = parameters.get("style", STYLES[0])
        if style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}.")
        restore = _places(parameters["restore"]) if "restore" in parameters else None
        return Manner(realistic=style == "realistic", restore=restore)


def _places(listed: object) -> frozenset[Kind]:
    known = [kind.value for kind in PLACES]
    if not isinstance(listed, list) or not all(each in known for each in listed):
        raise ValueError(f"restore must be a list of some of {', '.join(known)}.")
    return frozenset(Kind(each) for each in listed)
