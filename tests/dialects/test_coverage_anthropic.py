"""Every string that Anthropic's SDK knows is judged, or stands on a list that says why not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from anthropic.types import Message as Whole
from anthropic.types import MessageCountTokensParams, RawMessageStreamEvent, message_create_params
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from anthropic.types.beta import message_create_params as beta_create_params

from gateway.core.calls import Call
from gateway.dialects import anthropic_count_tokens, anthropic_messages
from tests.dialects.walk import answered, heard, strings

# Places whose strings are not judged, and why.
ID = "an identifier made by the API"
WORD = "one of the API's own words"
SWITCH = "switches and numbers"
SIGNED = "signed, or encrypted: nobody but the API can read it"
NAME = "the model's name"
_BLOCK = (
    r"(?:/messages/0/content/0|/system/0|(?:/message)?/content/0|/content_block)"
    r"(?:/content|/source|/0)*"
)
_CITATION = rf"(?:{_BLOCK}/citations/0|/delta/citation)"
PLAIN = {
    rf"{_BLOCK}/type": WORD,
    rf"{_BLOCK}/(?:id|file_id|tool_use_id)": ID,
    rf"{_BLOCK}/caller/(?:type|tool_id)": ID,
    rf"{_BLOCK}/cache_control/(?:type|ttl)": SWITCH,
    rf"{_BLOCK}/(?:error_code|stop_reason)": WORD,
    rf"{_BLOCK}(?:/signature|(?<!source)/data|/encrypted_content|/encrypted_stdout)": SIGNED,
    rf"{_CITATION}/(?:type|file_id)": WORD,
    rf"{_CITATION}/encrypted_index": SIGNED,
    r"/messages/0/role": WORD,
    r"/tools/0/type|/tools/0/cache_control/(?:type|ttl)": WORD,
    r"/(?:tool_choice|cache_control|thinking|output_config/format)/type": WORD,
    r"/cache_control/ttl|/thinking/display|/output_config/effort|/service_tier|/betas/0": WORD,
    r"/stream": SWITCH,
    r"/thinking/block_binding/prefix_mismatch_behavior": SWITCH,
    r"(?:/message)?/(?:model|id|type|role)": NAME,
    r"(?:/message|/delta)?/container(?:/id|/skills/0/\w+)?": ID,
    r"(?:/message|/delta)?(?:/stop_reason|/stop_details/(?:type|category))": WORD,
    r"(?:/message|/delta)?/stop_details/fallback_credit_token": SIGNED,
    r"(?:/message)?/usage/.*": SWITCH,
    r"/delta/type": WORD,
    r"/delta/(?:signature|encrypted_content)": SIGNED,
}


def walked(*kinds: Any) -> dict[str, list[Any]]:
    """Each place of these types, with every value that holds the canary there."""
    found: dict[str, list[Any]] = {}
    for kind in kinds:
        for path, value in strings(kind):
            if value not in found.setdefault(path, []):
                found[path].append(value)
    return found


REQUEST = walked(
    message_create_params.MessageCreateParamsNonStreaming,
    beta_create_params.MessageCreateParamsNonStreaming,
)
COUNT = walked(MessageCountTokensParams)
ANSWER = walked(Whole, BetaMessage)
EVENTS = walked(RawMessageStreamEvent, BetaRawMessageStreamEvent)


def in_request(value: dict[str, Any]) -> bool:
    body = {"messages": [], **value, "model": "m"}
    return heard(anthropic_messages.Member().read(Call(json.dumps(body).encode())))


def in_answer(value: dict[str, Any]) -> bool:
    data = json.dumps(value).encode()
    return heard(answered(anthropic_messages.Member(), data, "application/json"))


def in_event(value: dict[str, Any]) -> bool:
    data = b"data: " + json.dumps(value).encode() + b"\n\n"
    return heard(answered(anthropic_messages.Member(), data, "text/event-stream"))


def plain(path: str) -> bool:
    return any(re.fullmatch(place, path) for place in PLAIN)


def test_the_walk_sees_the_whole_of_the_types() -> None:
    for path in ("/messages/0/content/0/content/0/source/data", "/system/0/text", "/tools/0/name"):
        assert path in REQUEST
    assert COUNT.keys() <= REQUEST.keys()
    assert "/content/0/input/key" in ANSWER
    assert "/delta/citation/cited_text" in EVENTS
    assert (len(REQUEST) > 300, len(ANSWER) > 120, len(EVENTS) > 250) == (True, True, True)


@pytest.mark.parametrize("path", REQUEST)
def test_every_string_of_a_request_is_judged_or_declared(path: str) -> None:
    assert [in_request(v) for v in REQUEST[path]] == [not plain(path)] * len(REQUEST[path])


@pytest.mark.parametrize("path", ANSWER)
def test_every_string_of_an_answer_is_judged_or_declared(path: str) -> None:
    assert [in_answer(v) for v in ANSWER[path]] == [not plain(path)] * len(ANSWER[path])


@pytest.mark.parametrize("path", EVENTS)
def test_every_string_of_an_event_is_judged_or_declared(path: str) -> None:
    assert [in_event(v) for v in EVENTS[path]] == [not plain(path)] * len(EVENTS[path])


def test_the_list_names_nothing_that_is_not_there() -> None:
    known = [*REQUEST, *ANSWER, *EVENTS]
    assert [p for p in PLAIN if not any(re.fullmatch(p, path) for path in known)] == []


def test_what_is_counted_is_read_as_what_is_sent() -> None:
    assert anthropic_count_tokens.Member.request is anthropic_messages.Member.request
