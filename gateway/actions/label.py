"""label: the answer carries a label, and a visible notice if the rule gives one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.actions._parameters import described, known_only
from gateway.actions._passive import Passive
from gateway.jsonschema import TEXT, mapping

MAX_NOTICE_CHARS = 500
_PARAMETERS = {
    "notice": described(
        {**TEXT, "maxLength": MAX_NOTICE_CHARS},
        "The text that is put under the answer. Without it, the label is not seen.",
        default="",
    )
}


class Member(Passive):
    """Marks the answer. The notice travels as the message of the effect."""

    name = "label"
    strictness = 20

    def settle(self, parameters: Mapping[str, Any]) -> str:
        """The text of the notice; empty for a label without one.

        parameters: `notice`, the text that is put under the answer.
        Raises ValueError for anything else.
        """
        known_only(parameters, _PARAMETERS)
        notice = parameters.get("notice", "")
        if not isinstance(notice, str) or len(notice) > MAX_NOTICE_CHARS:
            raise ValueError(f"notice must be text of at most {MAX_NOTICE_CHARS} characters.")
        return notice.strip()

    def takes(self) -> dict[str, Any]:
        """A JSON Schema of what `settle` takes."""
        return mapping(_PARAMETERS)
