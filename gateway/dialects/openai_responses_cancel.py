"""OpenAI's Responses API: stopping a response that is made in the background."""

from __future__ import annotations

from gateway.dialects._responses_stored import StoredApi


class Member(StoredApi):
    """The dialect."""

    name = "openai_responses_cancel"
    operation = "cancel"
    paths = ("/v1/responses/{id}/cancel",)
    after = "/cancel"
