"""Every string the SDK knows of realtime events is judged, or listed with a reason."""

from __future__ import annotations

import json
from typing import Any

from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

from gateway.core.calls import Call
from gateway.core.message import Frame, Message
from tests.dialects.samples import ALL
from tests.dialects.walk import heard, strings

REALTIME: Any = ALL["openai_realtime"]
CLIENT = [(path, value) for path, value in strings(RealtimeClientEvent) if path != "/type"]
SERVER = [(path, value) for path, value in strings(RealtimeServerEvent) if path != "/type"]

# The last steps of places that are not judged, and why.
ID, WORD = "an identifier made by the API", "one of the API's own words"
PLAIN = {
    "id": ID, "event_id": ID, "item_id": ID, "previous_item_id": ID, "response_id": ID,
    "call_id": ID, "approval_request_id": ID, "conversation_id": ID, "connector_id": WORD,
    "type": WORD, "object": WORD, "status": WORD, "role": WORD, "detail": WORD, "voice": WORD,
    "effort": WORD, "eagerness": WORD, "reason": WORD, "language": WORD, "delay": WORD,
    "conversation": WORD, "tool_choice": WORD, "tracing": WORD, "truncation": WORD,
    "include/0": WORD, "output_modalities/0": WORD, "languages/0": WORD, "code": WORD,
    "param": WORD, "version": ID, "max_output_tokens": "a number or inf",
    "model": "looked up in the catalogue, or the name of one that transcribes",
    "rate": "a number", "name": "of a limit", "obfuscation": "random letters",
    "token": "dropped when the text beside it is changed",
}  # fmt: skip
# Places whose last steps are on the list, and that are judged all the same.
JUDGED = ("/prompt/variables/", "/item/reason", "/input/0/reason", "/output/0/reason")


def read_client(value: Any) -> Message:
    found: Message = REALTIME.read(Call(json.dumps({"type": "session.update", **value}).encode()))
    return found


def read_server(value: Any) -> list[Frame]:
    speech = REALTIME.speech()
    data = json.dumps({"type": "anything", **value}).encode()
    frames: list[Frame] = speech.reader(speech.turn(data)).feed(data)
    return frames


def is_plain(path: str) -> bool:
    steps = path.rsplit("/", 2)
    last = "/".join(steps[1:]) if steps[-1] == "0" else steps[-1]
    if last == "name":
        return path.startswith("/rate_limits/")
    return last in PLAIN and not any(place in path for place in JUDGED)


def test_the_walk_sees_all_events() -> None:
    kinds = {value.get("type") for _, value in (*CLIENT, *SERVER)}
    assert {"session.update", "response.create", "response.done", "error"} <= kinds
    assert (len(CLIENT) > 150, len(SERVER) > 300) == (True, True)


def test_every_string_of_an_event_is_judged_or_declared() -> None:
    wrong = [
        f"{value.get('type')} {path}"
        for read, places in ((read_client, CLIENT), (read_server, SERVER))
        for path, value in places
        if heard(read(value)) is is_plain(path)
    ]
    assert wrong == []
