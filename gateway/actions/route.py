"""route: the request goes to another model, one that may see what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.actions._parameters import described, known_only
from gateway.actions._passive import Passive
from gateway.core.targets import FIELDS, Target, Value
from gateway.jsonschema import COUNT, mapping, one_of, written

_HOSTING = ("hosted", "self_hosted")
_NAME = r"\S(?:.{0,126}\S)?"


class Member(Passive):
    """Sends a request elsewhere; there it is judged anew, by the rules for there."""

    name = "route"
    reroutes = True
    strictness = 80

    def target(self, parameters: Mapping[str, Any]) -> Target:
        """Where to.

        parameters: some of `model`, `provider`, `hosting`, `region`, as the catalogue has them;
        `trains: false`; `retention_days`, the most. Raises ValueError for anything else, and if
        there is none.
        """
        known_only(parameters, FIELDS)
        if not parameters:
            raise ValueError(f"needs to know where to. Give some of: {', '.join(FIELDS)}.")
        return Target.of({name: _value(name, value) for name, value in parameters.items()})

    def takes(self) -> dict[str, Any]:
        """A JSON Schema of what `target` takes."""
        name = written(_NAME)
        forms = {
            "model": described(name, "The name of a model in the catalogue."),
            "provider": described(name, "Whose model it must be, as the catalogue has it."),
            "hosting": described(
                one_of(_HOSTING), "Who runs the model: a service of somebody else, or you."
            ),
            "region": described(name, "Where it must run, as the catalogue has it."),
            "trains": described({"const": False}, "Nobody trains models on what is sent there."),
            "retention_days": described(COUNT, "The most days for which it keeps what is sent."),
        }
        return {**mapping({field: forms[field] for field in FIELDS}), "minProperties": 1}


def _value(name: str, value: Any) -> Value:
    if name == "trains":
        if value is not False:
            raise ValueError("trains can only be false: to a model that nobody trains on it.")
        return False
    if name == "retention_days":
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ValueError("retention_days must be a whole number of days, 0 or more.")
        return value
    if name == "hosting" and value not in _HOSTING:
        raise ValueError(f"hosting must be one of {', '.join(_HOSTING)}.")
    if not isinstance(value, str) or not re.fullmatch(_NAME, value):
        raise ValueError(f"{name} must be a name as in the catalogue.")
    return value
