"""require_review: the request waits until a person has approved, edited or refused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.actions._passive import Passive
from gateway.core.judgement import ReviewOrder

_DAY_S = 24 * 60 * 60
# The least and the most of each, in seconds, and of `uses` in times.
_LIMITS = {
    "wait_s": (0, 600),
    "expires_s": (60, 30 * _DAY_S),
    "valid_s": (60, 30 * _DAY_S),
    "uses": (1, 1_000),
}
_ROLES = "reviewers"


class Member(Passive):
    """Holds the request for a reviewer; what else rules do to its text is done as well."""

    name = "require_review"
    holds = True
    strictness = 90

    def order(self, parameters: Mapping[str, Any]) -> ReviewOrder:
        """How the review is to be held; see `ReviewOrder` for what may be given.

        reviewers: roles of which who decides has one. Raises ValueError for anything else.
        """
        known = (*_LIMITS, _ROLES)
        for name in parameters:
            if name not in known:
                raise ValueError(f"unknown parameter {name!r}. Known: {', '.join(known)}.")
        given: dict[str, Any] = {
            name: _number(name, parameters[name]) for name in _LIMITS if name in parameters
        }
        if _ROLES in parameters:
            given["reviewers"] = (_roles(parameters[_ROLES]),)
        return ReviewOrder(**given)


def _number(name: str, value: Any) -> int:
    least, most = _LIMITS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}.")
    return value


def _roles(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(_is_role(each) for each in value):
        raise ValueError(f"{_ROLES} must be a list of roles, such as [reviewer].")
    return tuple(sorted(set(value)))


def _is_role(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
