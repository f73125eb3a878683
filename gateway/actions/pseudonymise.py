"""pseudonymise: something else goes out, and the original comes back with the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.core.judgement import Effect, Manner
from gateway.core.message import Kind
from gateway.core.ports import Vault

STYLES = ("placeholder", "realistic")
# The kinds of text that an answer may hold.
PLACES = (Kind.TEXT, Kind.REASONING, Kind.REFUSAL, Kind.TOOL_ARGUMENTS, Kind.METADATA, Kind.ERROR)

_TOOL = re.compile(r"[A-Za-z0-9_.:/*-]{1,128}", re.ASCII)


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

        parameters: `style`, see `STYLES`; `restore`, where the original comes back: a list of
        `PLACES`, empty for nowhere, or such a list as `kinds` and the names of tools as `tools`.
        Raises ValueError for anything else.
        """
        for name in parameters:
            if name not in ("style", "restore"):
                raise ValueError(f"unknown parameter {name!r}. Known: restore, style.")
        style = parameters.get("style", STYLES[0])
        if style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}.")
        realistic = style == "realistic"
        restore = parameters.get("restore")
        if not isinstance(restore, dict):
            kinds = _kinds(restore, "restore") if "restore" in parameters else None
            return Manner(realistic, kinds)
        for name in restore:
            if name not in ("kinds", "tools"):
                raise ValueError(f"unknown parameter {name!r} of restore. Known: kinds, tools.")
        kinds = _kinds(restore["kinds"], "kinds of restore") if "kinds" in restore else None
        if "tools" not in restore:
            return Manner(realistic, kinds)
        if kinds is not None and Kind.TOOL_ARGUMENTS not in kinds:
            raise ValueError("restore names tools, but tool_arguments is not among its kinds.")
        return Manner(realistic, kinds, (_tools(restore["tools"]),))


def _kinds(listed: object, where: str) -> frozenset[Kind]:
    known = [kind.value for kind in PLACES]
    if not isinstance(listed, list) or not all(each in known for each in listed):
        raise ValueError(f"{where} must be a list of some of {', '.join(known)}.")
    return frozenset(Kind(each) for each in listed)


def _tools(listed: object) -> frozenset[str]:
    if not isinstance(listed, list) or not all(
        isinstance(each, str) and _TOOL.fullmatch(each) for each in listed
    ):
        raise ValueError(
            "tools of restore must be a list of names of tools: letters, digits and any of "
            "_ . : / -, with * for any characters."
        )
    return frozenset(listed)
