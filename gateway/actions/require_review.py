"""require_review: the request waits until a person has approved, edited or refused it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.actions._parameters import described, known_only
from gateway.actions._passive import Passive
from gateway.core.judgement import ReviewOrder
from gateway.jsonschema import mapping

_DAY_S = 24 * 60 * 60
# The least and the most of each, in seconds, and of `uses` in times; and what it is.
_NUMBERS = {
    "wait_s": (0, 600, "Seconds that the caller waits for the decision; 0: not at all."),
    "expires_s": (60, 30 * _DAY_S, "Seconds within which somebody may decide."),
    "valid_s": (
        60,
        30 * _DAY_S,
        "Seconds for which a decision counts when the same request comes again.",
    ),
    "uses": (1, 1_000, "How often the request may go through once it is approved."),
}
_ROLES = "reviewers"
_ROLE = r"\S"


class Member(Passive):
    """Holds the request for a reviewer; what else rules do to its text is done as well."""

    name = "require_review"
    holds = True
    strictness = 90

    def order(self, parameters: Mapping[str, Any]) -> ReviewOrder:
        """How the review is to be held; see `ReviewOrder` for what may be given.

        reviewers: roles of which who decides has one. Raises ValueError for anything else.
        """
        known_only(parameters, (*_NUMBERS, _ROLES))
        given: dict[str, Any] = {
            name: _number(name, parameters[name]) for name in _NUMBERS if name in parameters
        }
        if _ROLES in parameters:
            given["reviewers"] = (_roles(parameters[_ROLES]),)
        return ReviewOrder(**given)

    def takes(self) -> dict[str, Any]:
        """A JSON Schema of what `order` takes."""
        usual = ReviewOrder()
        numbers = {
            name: described(
                {"type": "integer", "minimum": least, "maximum": most},
                what,
                default=getattr(usual, name),
            )
            for name, (least, most, what) in _NUMBERS.items()
        }
        roles = described(
            {"type": "array", "items": {"type": "string", "pattern": _ROLE}, "minItems": 1},
            "Roles; who decides has one of them.",
            default=[role for roles in usual.reviewers for role in roles],
        )
        return mapping({**numbers, _ROLES: roles})


def _number(name: str, value: Any) -> int:
    least, most, _ = _NUMBERS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}.")
    return value


def _roles(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(_is_role(each) for each in value):
        raise ValueError(f"{_ROLES} must be a list of roles, such as [reviewer].")
    return tuple(sorted(set(value)))


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and re.search(_ROLE, value) is not None
