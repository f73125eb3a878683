"""OpenAI's Realtime API over a WebSocket, as its reference and SDK types of 2026 describe it.

The model stands in the query ("deployment" in Azure's); all else is said in events. Sound is
not listened to: policies decide on it by its media type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from gateway.core.apis import Reader, Reply, Speech
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal, Route
from gateway.core.message import Edit, Message
from gateway.core.splice import splice_json
from gateway.dialects._api import JsonApi
from gateway.dialects._identifiers import is_plain
from gateway.dialects._openai import error_reply, usage
from gateway.dialects._reached import anywhere
from gateway.dialects._realtime import CLIENT, SERVER
from gateway.dialects._realtime_speech import RealtimeSpeech
from gateway.dialects._realtime_turn import as_event, error_of
from gateway.dialects._whole import WholeReader, decode

# Of the query: where the model is named, and what goes on. A call's id does not: whose call
# it is cannot be told.
_NAMES = ("model", "deployment")
_KNOWN = frozenset({*_NAMES, "api-version", "intent"})


class Member(JsonApi):
    """The dialect. A GET is the handshake, any other call one event."""

    name = "openai_realtime"
    operation = "realtime"
    paths = ("WS /v1/realtime",)
    request = CLIENT
    answer = SERVER
    needs: ClassVar = {"type": (str,)}
    names_model = False

    def read(self, call: Call) -> Message:
        """The handshake, or an event. Raises Unreadable."""
        return self._handshake(call) if call.method == "GET" else super().read(call)

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """An event with edits made; a session that names its model names the upstream's."""
        if message.model and message.body and route.upstream_model != message.model:
            change = [Edit(0, len(message.model), route.upstream_model)]
            edits = {**edits, "/session/model": change}
        return splice_json(message.body, edits)

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model that an event's session is to have; most say none."""
        session = value.get("session")
        model = session.get("model") if isinstance(session, dict) else None
        if model is not None and not isinstance(model, str):
            raise Unreadable("'session.model' must be a string that names a model.")
        return model or ""

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """Traces are kept upstream, and prompts were made there."""
        session = value.get("session")
        traced = isinstance(session, dict) and session.get("tracing")
        prompt = anywhere(value, ("session", "prompt", "id"), ("response", "prompt", "id"))
        return (*(("tracing",) if traced else ()), *(("prompt",) if prompt else ()))

    def path_of(self, call: Call) -> str:
        """An event goes nowhere by itself."""
        return ""

    def speech(self) -> Speech:
        """For the events of one session's upstream."""
        return RealtimeSpeech()

    def complain(self, refusal: Refusal, exchange_id: str, event: bytes) -> bytes:
        """An error event, about the client's event if that has an id."""
        return as_event(error_of(refusal, _event_id(event)))

    def broken(self, error: str, exchange_id: str) -> bytes:
        """An error event."""
        return as_event(error_of(Refusal("upstream_error", error, 502)))

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """For the answer of an upstream that opens no session."""
        return WholeReader(SERVER, usage_of=usage, withheld=_withheld)

    def refuse(self, refusal: Refusal, exchange_id: str) -> Reply:
        """A refusal of the handshake."""
        return error_reply(refusal, exchange_id)

    def _handshake(self, call: Call) -> Message:
        query = dict(call.query)
        model = next((query[name] for name in _NAMES if query.get(name)), "")
        if not model:
            raise Unreadable("The query must name the model: /v1/realtime?model=...")
        if len(query) != len(call.query) or not query.keys() <= _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise Unreadable(f"The query holds what this gateway does not know. Known: {known}.")
        intent = query.get("intent", "")
        if not is_plain(intent):
            raise Unreadable("'intent' must be one word.")
        more = "&" + urlencode({"intent": intent}) if intent else ""
        path = "/v1/realtime?model={model}" + more
        return Message(b"", (), model=model, stream=True, path=path, method="GET", socket=True)


def _event_id(event: bytes) -> str | None:
    """The id that a client gave its event, if it is one."""
    try:
        value = decode(event)
    except (ValueError, RecursionError):
        return None
    told = value.get("event_id") if isinstance(value, dict) else None
    return told if isinstance(told, str) and told and is_plain(told) else None


def _withheld(value: Any, refusal: Refusal, exchange_id: str) -> Reply:
    return error_reply(refusal, exchange_id)
