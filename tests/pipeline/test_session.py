"""A session over a socket: judged in both directions, recorded once."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from gateway.core.judgement import Finding, StreamMode, Subject, Verdict
from gateway.core.standing import Standing, State, Under
from tests.pipeline.fakes import Bundle, Inspector, Sink
from tests.pipeline.talking import SocketBackend, item, response, talk

MAIL = "alice.smith@example.com"
TEXT = f"Write to {MAIL} today, and then to nobody else at all. " * 3
FREE, REDACT = Bundle({}), Bundle({"EMAIL_ADDRESS": "redact"})
HIDE = Bundle({"EMAIL_ADDRESS": "pseudonymise"})
BLOCK, DEAF = Bundle({"KEY": "block"}), Bundle({"OPAQUE": "block"})
KEY = "key-0123abcd"


class Excluding(Bundle):
    """Blocks who is excluded by terms, and lets drafts pass."""

    def decide(self, findings: Sequence[Finding], subject: Subject) -> Verdict:
        found = [each for each in findings if each.note == "region_excluded"]
        return super().decide(found, subject)


TERMS = Excluding({"TERMS": "block"})
SOUND = {"type": "input_audio_buffer.append", "audio": "AAAAAAAA"}


def told(events: list[dict[str, Any]]) -> set[str]:
    """Every whole text of a response that its events repeat."""
    found = set()
    for event in events:
        part = event.get("part") or {}
        for items in (event.get("item"), *(event.get("response") or {}).get("output", ())):
            for content in (items or {}).get("content", ()):
                found.add(content.get("text") or content.get("transcript"))
        found |= {event.get("text"), event.get("transcript"), part.get("text")}
    return found - {None, ""}


def test_what_no_rule_changes_passes_byte_for_byte() -> None:
    said = [json.dumps(item(TEXT), indent=1), json.dumps({"type": "response.create"})]
    events = [json.dumps(e, indent=2).encode() for e in response(TEXT)]
    talked = talk(SocketBackend(*events), FREE, *said)
    assert talked.raw == events
    assert talked.backend.heard == [text.encode() for text in said]
    assert (talked.status, talked.line.close) == (101, 1000)


@pytest.mark.parametrize("audio", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 21, 64, 500])
def test_what_is_taken_out_does_not_depend_on_the_pieces(size: int, audio: bool) -> None:
    head = "response.output_audio_transcript" if audio else "response.output_text"
    talked = talk(SocketBackend(*response(TEXT, size=size, audio=audio)), REDACT)
    expected = TEXT.replace(MAIL, "[EMAIL_ADDRESS]")
    assert talked.text(head) == expected
    assert told(talked.got) == {expected}


def test_placeholders_go_up_and_originals_come_back() -> None:
    backend = SocketBackend()
    hidden = talk(backend, HIDE, item(TEXT)).heard[0]["item"]["content"][0]["text"]
    assert MAIL not in hidden
    talked = talk(SocketBackend(*response(hidden)), HIDE, item(TEXT))
    assert talked.text() == TEXT
    assert told(talked.got) == {TEXT}
    assert talked.exchange.restored > 0


def test_a_word_the_client_has_said_is_no_placeholder() -> None:
    first = talk(SocketBackend(), HIDE, item(MAIL)).heard[0]["item"]["content"][0]["text"]
    talked = talk(SocketBackend(), HIDE, item(f"{first} is a word of mine"), item(MAIL))
    assert talked.heard[1]["item"]["content"][0]["text"] != first


def test_a_blocked_event_stays_here_and_the_next_goes_on() -> None:
    sink = Sink()
    said = [item(KEY, event_id="mine"), item("Hello.")]
    talked = talk(SocketBackend(), BLOCK, *said, sink=sink)
    (error,) = talked.got
    assert (error["error"]["code"], error["error"]["event_id"]) == ("policy_violation", "mine")
    assert [e["item"]["content"][0]["text"] for e in talked.heard] == ["Hello."]
    assert sink.closed["outcome"] == "blocked"


def test_what_terms_come_to_ask_stops_the_events_from_then_on() -> None:
    sink = Sink()

    def terms(_who: object, _route: object, kinds: Collection[str]) -> Standing:
        states = [State("draft", "maker/one", "", "A draft.")]
        if "audio" in kinds:
            states.append(State("region_excluded", "maker/one", "eu", "Not here."))
        return Standing(under=(Under("maker/one", "1"),), states=tuple(states))

    said = [item("Hello."), SOUND, SOUND, item("Hello again.")]
    talked = talk(SocketBackend(), TERMS, *said, sink=sink, terms=terms)
    assert [e["error"]["code"] for e in talked.got] == ["policy_violation"] * 2
    texts = [e["item"]["content"][0]["text"] for e in talked.heard]
    assert texts == ["Hello.", "Hello again."]
    (under,) = sink.closed["terms"]
    assert [each["state"] for each in under["states"]] == ["draft", "region_excluded"]


@pytest.mark.parametrize("audio", [False, True])
def test_a_blocked_response_ends_as_filtered_and_the_next_comes(audio: bool) -> None:
    text = "Some harmless words come first. " * 10 + KEY + " and more" * 10
    events = [*response(text, audio=audio), *response("All is well.", number=2)]
    talked = talk(SocketBackend(*events), BLOCK)
    assert KEY not in str(talked.got)
    done = [e["response"] for e in talked.got if e["type"] == "response.done"]
    assert [r.get("status") for r in done] == ["incomplete", "completed"]
    assert done[0]["status_details"]["reason"] == "content_filter"
    assert done[0]["output"][0]["status"] == "incomplete"
    assert [e["type"] for e in talked.heard] == ["response.cancel"]
    assert talked.text().endswith("All is well.")


def test_the_closing_events_say_what_the_pieces_said() -> None:
    text = "Some harmless words come first. " * 10 + KEY
    talked = talk(SocketBackend(*response(text)), BLOCK)
    assert told(talked.got) == {talked.text()}
    assert talked.text().startswith("Some harmless words come first.")


def test_a_tool_call_that_is_stopped_is_never_completed() -> None:
    call = {"id": "item_1", "type": "function_call", "name": "f", "call_id": "c", "arguments": ""}
    at = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0}
    told = json.dumps({"key": KEY})
    events = [
        {"type": "response.created", "response": {"id": "resp_1"}},
        {"type": "response.output_item.added", **at, "item": call},
        {"type": "response.function_call_arguments.delta", **at, "delta": told},
        {"type": "response.function_call_arguments.done", **at, "arguments": told},
        {"type": "response.output_item.done", **at, "item": {**call, "arguments": told}},
        {"type": "response.done", "response": {"id": "resp_1"}},
    ]
    talked = talk(SocketBackend(*events), BLOCK)
    assert "response.function_call_arguments.done" not in talked.types()
    (item_,) = talked.got[-1]["response"]["output"]
    assert (item_["status"], item_["arguments"]) == ("incomplete", "")


def test_a_transcript_of_the_user_is_judged_across_its_pieces() -> None:
    head = "conversation.item.input_audio_transcription"
    at = {"item_id": "item_u", "content_index": 0}
    logprobs = [{"token": MAIL[:3], "logprob": 0.0, "bytes": []}]
    events = [{"type": f"{head}.delta", **at, "delta": p, "logprobs": logprobs} for p in MAIL]
    events.append({"type": f"{head}.completed", **at, "transcript": MAIL, "logprobs": logprobs})
    talked = talk(SocketBackend(*events), REDACT)
    assert talked.text(head) == "[EMAIL_ADDRESS]" == talked.got[-1]["transcript"]
    assert [e["logprobs"] for e in talked.got] == [None] * len(events)


def test_a_transcript_that_is_blocked_has_failed() -> None:
    head = "conversation.item.input_audio_transcription"
    at = {"item_id": "item_u", "content_index": 0}
    events = [
        {"type": f"{head}.delta", **at, "delta": KEY},
        {"type": f"{head}.completed", **at, "transcript": KEY},
        *response("Hello."),
    ]
    talked = talk(SocketBackend(*events), BLOCK)
    assert talked.types()[0] == f"{head}.failed"
    assert talked.heard == []
    assert talked.text() == "Hello."


def test_pieces_of_what_nobody_knows_are_put_together() -> None:
    events = [{"type": "new.thing.delta", "item_id": "i", "delta": p} for p in MAIL]
    talked = talk(SocketBackend(*events, {"type": "new.thing.done", "item_id": "i"}), REDACT)
    assert talked.text("new.thing") == "[EMAIL_ADDRESS]"


def test_sound_is_counted_once_a_kind_and_in_bytes() -> None:
    sink = Sink()
    talked = talk(SocketBackend(*response("Hi.", audio=True)), FREE, SOUND, SOUND, SOUND, sink=sink)
    closed = sink.closed
    kind = "audio/*"
    assert closed["request"]["opaque"] == [{"path": "/audio", "media_type": kind, "bytes": 18}]
    assert closed["response"]["opaque"] == [{"path": "/delta", "media_type": kind, "bytes": 9}]
    assert [f["count"] for f in closed["request"]["findings"]] == [1]
    assert len(talked.heard) == 3


def test_where_sound_is_refused_none_passes_either_way() -> None:
    talked = talk(SocketBackend(*response("Hi.", audio=True)), DEAF, SOUND, SOUND)
    assert [e["error"]["code"] for e in talked.got[:2]] == ["policy_violation"] * 2
    assert [e["type"] for e in talked.heard] == ["response.cancel"]
    assert "response.output_audio.delta" not in talked.types()
    assert talked.got[-1]["response"]["status"] == "incomplete"


def test_sound_waits_for_the_words_before_it() -> None:
    talked = talk(SocketBackend(*response(TEXT, audio=True)), REDACT)
    types = talked.types()
    last_words = max(i for i, t in enumerate(types) if t.endswith("transcript.delta"))
    assert last_words < types.index("response.output_audio.delta")


@pytest.mark.parametrize("rules", [{"EMAIL_ADDRESS": "redact"}])
def test_a_detector_that_fails_blocks(rules: dict[str, str]) -> None:
    talked = talk(
        SocketBackend(*response(TEXT)), Bundle(rules), item(TEXT), inspector=Inspector(broken=True)
    )
    assert talked.got[0]["error"]["code"] == "policy_violation"
    assert talked.got[-1]["response"]["status"] == "incomplete"
    assert [e["type"] for e in talked.heard] == ["response.cancel"]


def test_a_policy_that_holds_gives_a_response_at_its_end() -> None:
    hold = Bundle({"EMAIL_ADDRESS": "redact"}, StreamMode.HOLD)
    talked = talk(SocketBackend(*response(TEXT)), hold)
    assert talked.text() == TEXT.replace(MAIL, "[EMAIL_ADDRESS]")


def test_a_visible_notice_stands_in_pieces_and_wholes_alike() -> None:
    labelled = Bundle({"ANSWER": "label"}, notice="Made by a machine.")
    talked = talk(SocketBackend(*response("Hello.")), labelled)
    assert talked.text() == "Hello.\n\nMade by a machine."
    assert told(talked.got) == {talked.text()}


ODD = [
    b"\x00", "x", "[]", '{"type":1}', '{"a":1,"a":2}', '{"type":"x","y":"\\ud800"}',
    '{"type":"session.update","session":{"model":"other"}}', json.dumps(item("x" * 2_000)),
    json.dumps({"item": {"type": "function_call", "arguments": "[" * 99 + "]" * 99}, "type": "x"}),
]  # fmt: skip


@pytest.mark.parametrize("event", ODD)
def test_what_is_no_event_is_told_so_and_stays_here(event: str | bytes) -> None:
    talked = talk(SocketBackend(), FREE, event, {"type": "response.create"}, max_bytes=1_000)
    assert talked.types() == ["error"]
    assert [e["type"] for e in talked.heard] == ["response.create"]


def test_a_session_may_name_its_own_model() -> None:
    update = {"type": "session.update", "session": {"model": "m"}}
    assert talk(SocketBackend(), FREE, update).heard == [update]


def test_nothing_is_opened_without_a_record() -> None:
    backend = SocketBackend()
    talked = talk(backend, FREE, sink=Sink(broken_from=0))
    assert (talked.status, backend.asked) == (503, [])
    log: list[str] = []
    talk(SocketBackend(log=log), FREE, sink=Sink(log=log))
    assert log.index("exchange.opened") < log.index("connect") < log.index("exchange.closed")


def test_a_rule_on_requests_keeps_a_session_from_opening() -> None:
    backend = SocketBackend()
    talked = talk(backend, Bundle({"REQUEST": "block"}))
    assert (talked.status, backend.asked) == (400, [])
    assert talked.exchange.outcome == "blocked"


@pytest.mark.parametrize(
    ("code", "close", "outcome"),
    [
        (1000, 1000, "completed"),
        (1005, 1000, "completed"),
        (3999, 3999, "completed"),
        (1009, 1011, "upstream_error"),
        (1013, 1013, "upstream_error"),
    ],
)
def test_how_the_upstream_closes_is_passed_on(code: int, close: int, outcome: str) -> None:
    talked = talk(SocketBackend(code=code), FREE)
    assert (talked.line.close, talked.exchange.outcome) == (close, outcome)
    assert talked.backend.closed == 1


@pytest.mark.parametrize("events", [[b"no json"], [b"[]"], [{"no": "type"}]])
def test_an_upstream_that_breaks_off_ends_in_an_error(events: list[Any]) -> None:
    sink = Sink()
    talked = talk(SocketBackend(*events, fail="cut"), FREE, sink=sink)
    assert talked.types() == ["error"]
    assert (talked.line.close, sink.closed["outcome"]) == (1011, "upstream_error")


def test_a_response_that_goes_on_after_its_end_breaks_off() -> None:
    late = response(KEY[4:])[3]
    talked = talk(SocketBackend(*response(KEY[:4]), *response("Well.", number=2), late), FREE)
    assert talked.types()[-1] == "error"
    assert talked.text() == KEY[:4] + "Well."


def test_a_client_that_leaves_ends_the_session() -> None:
    sink = Sink()
    talked = talk(SocketBackend(fail="stays"), FREE, item("Hello."), sink=sink)
    assert talked.backend.closed == 1
    assert (sink.closed["outcome"], sink.closed["request"]["texts"]) == ("completed", 1)


def test_usage_of_all_responses_is_added_up() -> None:
    sink = Sink()
    events = [*response("One."), *response("Two.", number=2)]
    talk(SocketBackend(*events), FREE, sink=sink)
    assert sink.closed["usage"] == {"input": 4, "output": 6}


def test_a_text_leaves_when_it_has_ended_not_when_its_response_has() -> None:
    events = [*response(MAIL)[:-4], {"type": "rate_limits.updated", "rate_limits": []}]
    talked = talk(SocketBackend(*events), REDACT)
    assert talked.types()[-2:] == ["response.output_text.done", "rate_limits.updated"]


def test_an_event_with_a_name_without_end_is_answered() -> None:
    event = {"type": "response.create", "n" * 5_000: MAIL}
    talked = talk(SocketBackend(), FREE, event, item("Hello."))
    assert (talked.types(), len(talked.heard)) == (["error"], 1)


@pytest.mark.parametrize("usage", [MAIL, {"a": MAIL}, {"": MAIL}])
def test_counts_that_are_text_are_judged(usage: object) -> None:
    done = {"type": "response.done", "response": {"id": "r", "output": [], "usage": usage}}
    talked = talk(SocketBackend(done), REDACT)
    assert talked.got
    assert MAIL not in str(talked.got)
