"""pseudonymise: something else goes out, and the original comes back with the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.actions._parameters import described, known_only
from gateway.core.judgement import Effect, Manner
from gateway.core.message import Kind
from gateway.core.ports import Vault
from gateway.jsonschema import mapping, one_of, written

STYLES = ("placeholder", "realistic")
# The kinds of text that an answer may hold.
PLACES = (Kind.TEXT, Kind.REASONING, Kind.REFUSAL, Kind.TOOL_ARGUMENTS, Kind.METADATA, Kind.ERROR)

_PARAMETERS = ("restore", "style")
_RESTORE = ("kinds", "tools")
_TOOL = r"[A-Za-z0-9_.:/*-]{1,128}"


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
        known_only(parameters, _PARAMETERS)
        style = parameters.get("style", STYLES[0])
        if style not in STYLES:
            raise ValueError(f"style must be one of {', '.join(STYLES)}.")
        realistic = style == "realistic"
        restore = parameters.get("restore")
        if not isinstance(restore, dict):
            kinds = _kinds(restore, "restore") if "restore" in parameters else None
            return Manner(realistic, kinds)
        known_only(restore, _RESTORE, "restore")
        kinds = _kinds(restore["kinds"], "kinds of restore") if "kinds" in restore else None
        if "tools" not in restore:
            return Manner(realistic, kinds)
        if kinds is not None and Kind.TOOL_ARGUMENTS not in kinds:
            raise ValueError("restore names tools, but tool_arguments is not among its kinds.")
        return Manner(realistic, kinds, (_tools(restore["tools"]),))

    def takes(self) -> dict[str, Any]:
        """A JSON Schema of what `manner` takes."""
        style = described(
            one_of(STYLES),
            "A placeholder such as PERSON_K7Q2MX, or a made-up value that looks like the original.",
            default=STYLES[0],
        )
        forms = {"restore": _restore_form(), "style": style}
        return mapping({name: forms[name] for name in _PARAMETERS})


def _restore_form() -> dict[str, Any]:
    kinds = described(
        {"type": "array", "items": one_of(place.value for place in PLACES)},
        "The kinds of text in an answer in which the original comes back; [] for nowhere.",
    )
    tools = described(
        {"type": "array", "items": written(_TOOL)},
        "The tools whose arguments hold the original; * stands for any characters.",
    )
    forms = {"kinds": kinds, "tools": tools}
    arguments = {"contains": {"const": Kind.TOOL_ARGUMENTS.value}}
    both = {
        "if": {"required": [*_RESTORE]},
        "then": {"properties": {"kinds": arguments}},
    }
    return described(
        {"anyOf": [kinds, {**mapping({name: forms[name] for name in _RESTORE}), **both}]},
        "Where the original comes back. Without it: in all kinds of text, and for all tools.",
    )


def _kinds(listed: object, where: str) -> frozenset[Kind]:
    known = [kind.value for kind in PLACES]
    if not isinstance(listed, list) or not all(each in known for each in listed):
        raise ValueError(f"{where} must be a list of some of {', '.join(known)}.")
    return frozenset(Kind(each) for each in listed)


def _tools(listed: object) -> frozenset[str]:
    if not isinstance(listed, list) or not all(
        isinstance(each, str) and re.fullmatch(_TOOL, each) for each in listed
    ):
        raise ValueError(
            "tools of restore must be a list of names of tools: letters, digits and any of "
            "_ . : / -, with * for any characters."
        )
    return frozenset(listed)
