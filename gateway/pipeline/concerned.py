"""Whom an exchange concerns, by a reference that says nothing to whoever lacks the key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.core.judgement import Principal
from gateway.core.message import Part

# Where APIs have their callers name the end user: OpenAI's `user` and `safety_identifier`,
# Anthropic's `metadata.user_id` (their API references, November 2026).
_NAMED = frozenset({"/user", "/safety_identifier", "/metadata/user_id"})


def concerned(who: Principal, parts: Sequence[Part], seal: Callable[[str, bytes], str]) -> str:
    """The reference of the end user that a request names, else of the key it came with.

    The same for the same tenant, always, so that all that concerns somebody can be found.
    """
    user = next((part.text for part in parts if part.path in _NAMED and part.text), "")
    return reference(who.tenant, user or who.key_id, seal, user=bool(user))


def reference(tenant: str, name: str, seal: Callable[[str, bytes], str], *, user: bool) -> str:
    """64 hex digits for an end user by the name that applications give, or for a key by its id."""
    kind = b"user:" if user else b"key:"
    return seal(tenant, b"subject:" + kind + name.encode("utf-8", "surrogatepass"))
