"""OpenAI's Responses API: making a response, whole or streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.apis import Reader, Reply
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects._api import JsonApi
from gateway.dialects._openai import error_reply
from gateway.dialects._responses import ANSWER, EVENTS, REQUEST
from gateway.dialects._responses_kept import KEPT, asked, states, things
from gateway.dialects._responses_stream import ResponsesStream
from gateway.dialects._responses_whole import WholeResponse


class ResponsesApi(JsonApi):
    """What the operations of this API do alike."""

    wire = "openai_responses"
    names_model = False
    request = REQUEST
    answer = ANSWER

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model that is asked for; none is needed where something kept is reached for."""
        if "model" not in value and asked(value):
            return ""
        return super().model_of(value, call)

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """JSON mode and structured output."""
        text = value.get("text")
        output = text.get("format") if isinstance(text, dict) else None
        return isinstance(output, dict) and output.get("type") != "text"

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What is to be gone on from, what is referred to, and what the model is given."""
        return tuple(dict.fromkeys((*asked(value), *things(value))))

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        keeps = not KEPT.isdisjoint(message.states)
        if "text/event-stream" in content_type.lower():
            return ResponsesStream(keeps=keeps)
        return WholeResponse(self.answer, keeps=keeps)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal before the first byte of an answer."""
        param = "model" if refusal.code == "model_not_found" else None
        if refusal.rule:
            param = "input"
        return error_reply(refusal, exchange_id, param=param)


class Member(ResponsesApi):
    """The dialect."""

    name = "openai_responses"
    wire = ""
    operation = "responses"
    paths = ("/v1/responses",)
    events = EVENTS

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What the upstream keeps of this response, and what it recalls for it."""
        return states(value)
