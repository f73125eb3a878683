"""What is told of one thing to whoever it concerns: an exchange, its proof, a review, a model."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gateway.core.judgement import Principal, Refusal
from gateway.pipeline.admission import NO_MODEL

Teller = Callable[[Principal, str], Awaitable[dict[str, Any] | None]]

# The same for what others made and for what nobody did, so that guessing tells nothing.
_NO_EXCHANGE = Refusal("not_found", "No exchange with this id was made with this key.", 404)
_NO_REVIEW = Refusal("not_found", "No request made with this key has such a review.", 404)
_FORMS = {
    "explain": (r"/v1/exchanges/(?P<id>[^/]{1,100})/explain", _NO_EXCHANGE),
    "prove": (r"/v1/audit/(?P<id>[^/]{1,100})/proof", _NO_EXCHANGE),
    "review": (r"/v1/reviews/(?P<id>[^/]{1,100})", _NO_REVIEW),
}
_NOTICES = r"/v1/models/(?P<id>.{1,200})/notices"


@dataclass(frozen=True, slots=True)
class Question:
    """Of what is asked, what tells its owner, and what is said if there is nothing to tell."""

    id: str
    tell: Teller
    missing: Refusal


@dataclass(frozen=True, slots=True)
class Owned:
    """What can be told; each takes who asks and an id, and may raise Refused.

    explain: how an exchange was judged, to whoever made it. prove: that the log has it, likewise.
    review: how a review stands, likewise. notices: what users of a model must be shown.
    """

    explain: Teller
    prove: Teller
    review: Teller
    notices: Teller

    def find(self, path: str) -> Question | None:
        """What is asked at this path; None if nothing. A model's name keeps its spelling."""
        if found := re.fullmatch(_NOTICES, path, re.IGNORECASE):
            return Question(found["id"], self.notices, NO_MODEL)
        for name, (form, missing) in _FORMS.items():
            if found := re.fullmatch(form, path, re.IGNORECASE):
                return Question(found["id"].lower(), getattr(self, name), missing)
        return None
