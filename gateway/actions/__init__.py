"""What an effect does to a message.

A family: each module here without a leading underscore is one action and holds a class
`Member` that follows `gateway.core.ports.Action`. Installed packages join through the
entry-point group `gateway.actions`. Strictness orders the actions; 0 is kept for `allow`.
"""

from __future__ import annotations

from gateway.core.errors import ConfigError
from gateway.core.family import discover
from gateway.core.ports import Action

GROUP = "gateway.actions"


def load() -> dict[str, Action]:
    """All actions by name, the mildest first. Raises ConfigError for one that cannot be used."""
    found: list[Action] = []
    for name, module in discover(__name__, GROUP).items():
        member = getattr(module, "Member", None)
        if member is None:
            raise ConfigError(f"{GROUP}: {module.__name__} has no class Member.")
        action: Action = member()
        if action.name != name:
            raise ConfigError(
                f"{GROUP}: {module.__name__} is found as {name!r} but calls itself {action.name!r}."
            )
        found.append(action)
    return {action.name: action for action in sorted(found, key=lambda a: a.strictness)}
