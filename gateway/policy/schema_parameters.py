"""What a rule may say under `with`, for the schema of policies: each action tells it of itself."""

from __future__ import annotations

from typing import Any

from gateway.core.ports import Action
from gateway.policy.reading_parameters import Described, takes_any


def parameters_of(name: str, action: Action) -> dict[str, Any]:
    """A condition on rules: what stands under `with` if this action stands under `then`."""
    asked = {"properties": {"then": {"const": name}}, "required": ["then"]}
    return {"if": asked, "then": _then(action)}


def _then(action: Action) -> dict[str, Any]:
    if not takes_any(action):
        return {"properties": {"with": False}}
    # An action of an installed package may take parameters and not say which.
    taken = action.takes() if isinstance(action, Described) else {"type": "object"}
    needed = taken.get("required") or taken.get("minProperties")
    return {"properties": {"with": taken}, **({"required": ["with"]} if needed else {})}
