"""What only the Responses API does: texts said four times over, numbers, last words, ids."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.dialects import load
from tests.pipeline.fakes import (
    SSE,
    WIRE,
    Asked,
    Backend,
    Bundle,
    Shelf,
    ask,
    house,
)

ALL = load()
RESPONSES = ALL["openai_responses"]
FOLDER = WIRE.parent / "openai_responses"
STREAMS = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.sse"))}
WHOLE = (FOLDER / "openai_text.json").read_bytes()
REDACT = Bundle({"EMAIL_ADDRESS": "redact"})
BLOCK = Bundle({"EMAIL_ADDRESS": "block"})
# The member of each `done` event that says the whole text again.
LAST = {"output_text": "text", "refusal": "refusal", "reasoning_summary_text": "text",
        "reasoning_text": "text", "function_call_arguments": "arguments",
        "mcp_call_arguments": "arguments", "custom_tool_call_input": "input",
        "code_interpreter_call_code": "code"}  # fmt: skip


def request(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": "Hello.", **fields}).encode()


def asked_of(
    data: bytes, bundle: Bundle, *cuts: int, body: bytes | Call = b"", kind: str = SSE, **parts: Any
) -> Asked:
    ends = [0, *cuts, len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(ends)]
    backend = Backend(*pieces, kind=kind, fail=parts.pop("fail", ""))
    return ask(house(backend, bundle, **parts), body or request(stream=True), dialect=RESPONSES)


def events(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode().replace("\r\n", "\n").split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def texts(found: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Each text in all its places: added up from deltas, done, part, item, final response."""
    items = found[-1].get("response", {}).get("output", [])
    for done in (e for e in found if e["type"].split(".")[1] in LAST and e["type"][-5:] == ".done"):
        name = done["type"].split(".")[1]
        index = [done.get(k) for k in ("output_index", "content_index", "summary_index")]
        mine = [e for e in found if index == [e.get(k) for k in
                ("output_index", "content_index", "summary_index")]]  # fmt: skip
        said = ["".join(e["delta"] for e in mine if e["type"] == f"response.{name}.delta")]
        said.append(done[LAST[name]])
        said += [e["part"].get(LAST[name]) for e in mine if e["type"][-10:] == "_part.done"]
        closed = [e["item"] for e in found if e["type"] == "response.output_item.done"]
        for item in (closed[done["output_index"]], items[done["output_index"]]) if items else ():
            parts = item.get("summary") if index[2] is not None else item.get("content")
            place = index[2] if index[2] is not None else index[1]
            said.append(item[LAST[name]] if place is None else parts[place][LAST[name]])
        yield said


@pytest.mark.parametrize("name", STREAMS)
def test_a_text_is_edited_alike_wherever_it_is_said(name: str) -> None:
    data = STREAMS[name]
    for at in range(1, len(data), max(1, len(data) // 150)):
        asked = asked_of(data, REDACT, at)
        assert b"@example" not in asked.body
        for said in texts(events(asked.body)):
            assert "[EMAIL_ADDRESS]" in said[0] or "Berlin" in said[0]
            assert len(set(said)) == 1
            assert len(said) >= 2


def test_what_is_said_four_times_counts_as_one_finding() -> None:
    side = asked_of(STREAMS["openai_text"], REDACT).exchange.response
    assert side.findings == {("fake", "EMAIL_ADDRESS"): 1}
    assert side.coverage.judged_bytes["/part/text"] > 60


@pytest.mark.parametrize("name", STREAMS)
def test_placeholders_are_restored_wherever_they_stand(name: str) -> None:
    mail = "alice.smith@example.com"
    bundle = Bundle({"EMAIL_ADDRESS": "pseudonymise"})
    backend = Backend(b"{}")
    ask(house(backend, bundle), request(input=mail), dialect=RESPONSES)
    placeholder = json.loads(backend.bodies[0])["input"].encode()
    data = STREAMS[name].replace(mail.encode(), placeholder)
    for at in range(1, len(data), max(1, len(data) // 20)):
        said = asked_of(data, Bundle({}), at, body=request(input="x")).body
        assert said == data
        asked = asked_of(data, _OnlyRequests(), at, body=request(input=mail, stream=True))
        assert placeholder not in asked.body
        for everywhere in texts(events(asked.body)):
            assert len(set(everywhere)) == 1


class _OnlyRequests(Bundle):
    """Pseudonymises requests; answers pass."""

    def __init__(self) -> None:
        super().__init__({"EMAIL_ADDRESS": "pseudonymise"})

    def bind(self, context: Any) -> Bundle:
        return self if context.direction == "request" else Bundle({})


@pytest.mark.parametrize("name", ["openai_text", "openai_logprobs"])
def test_offsets_point_to_the_same_words(name: str) -> None:
    found = events(asked_of(STREAMS[name], REDACT).body)
    text = found[-1]["response"]["output"][0]["content"][0]["text"]
    annotations = [e["annotation"] for e in found if "annotation" in e]
    annotations += [e["part"]["annotations"][0] for e in found if e.get("part", {}).get("text")]
    annotations += found[-1]["response"]["output"][0]["content"][0]["annotations"]
    assert len(annotations) == 3
    for one in annotations:
        assert text[one["start_index"] : one["end_index"]] == "[1]"


def test_offsets_and_raw_tokens_follow_in_a_whole_answer() -> None:
    body = json.loads(asked_of(WHOLE, REDACT, kind="application/json").body)
    (part,) = body["output"][0]["content"]
    (one,) = part["annotations"]
    assert part["text"][one["start_index"] : one["end_index"]] == "[1]"
    assert part["logprobs"] == []


def test_raw_tokens_go_where_text_was_edited_and_stay_elsewhere() -> None:
    found = events(asked_of(STREAMS["openai_logprobs"], REDACT).body)
    deltas = [e for e in found if e["type"] == "response.output_text.delta"]
    assert [bool(e["logprobs"]) for e in deltas[:4]] == [True, True, False, False]
    assert not any(e["logprobs"] for e in found if e["type"] == "response.output_text.done")


NOTICE = Bundle({"ANSWER": "label"}, notice="Made by a machine.")


@pytest.mark.parametrize("name", ["openai_text", "openai_tools", "compatible_cr"])
def test_a_notice_stands_wherever_its_text_is_said(name: str) -> None:
    for at in (1, 500, 2_000, 4_000):
        found = events(asked_of(STREAMS[name], NOTICE, at).body)
        numbers = [e["sequence_number"] for e in found]
        assert numbers == list(range(len(numbers)))
        noticed = [said for said in texts(found) if "machine" in said[0]]
        assert [len(set(said)) for said in noticed] == [1]
        assert noticed[0][0].endswith("\n\nMade by a machine.")


def test_deltas_that_arrive_together_are_numbered_behind_a_notice() -> None:
    said: list[dict[str, Any]] = []
    for output in (0, 1):
        at = {"item_id": f"msg_{output}", "output_index": output, "content_index": 0}
        deltas = [{"type": "response.output_text.delta", **at, "delta": c} for c in "abcd"]
        said += [*deltas, {"type": "response.output_text.done", **at, "text": "abcd"}]
    said.append({"type": "response.completed", "response": {"id": "resp_1", "output": []}})
    data = b"".join(
        f"data: {json.dumps({**event, 'sequence_number': i})}\n\n".encode()
        for i, event in enumerate(said)
    )
    found = events(asked_of(data, NOTICE).body)
    assert len(found) == len(said) + 2
    assert [event["sequence_number"] for event in found] == list(range(len(found)))


def test_a_notice_that_comes_late_is_put_under_no_text_that_has_ended() -> None:
    bundle = Bundle({"KEY": "label"}, notice="There was a key.")
    data = STREAMS["openai_tools"].replace(b"print(1)", b"key-0123abcd")
    found = events(asked_of(data, bundle, *range(300, len(data), 300)).body)
    assert [len(set(said)) for said in texts(found)] == [1] * 7
    assert b"There was" not in json.dumps(found).encode()


def test_a_response_that_is_parsed_gets_no_notice() -> None:
    body = request(stream=True, text={"format": {"type": "json_schema", "name": "n"}})
    assert asked_of(STREAMS["openai_text"], NOTICE, body=body).body == STREAMS["openai_text"]


def test_a_block_in_mid_stream_closes_what_is_open() -> None:
    data = STREAMS["openai_text"].replace(b'"delta":" see the', b'"delta":" key-0123abcd')
    filler = "Some words that are harmless. " * 9
    for early in (b'"Write"', b'" to "'):
        data = data.replace(b'"delta":' + early, f'"delta":"{filler}"'.encode())
    asked = asked_of(data, Bundle({"KEY": "block"}), *range(500, len(data), 500))
    found = events(asked.body)
    assert asked.status == 200
    assert b"key-0123" not in asked.body
    assert [e["type"] for e in found[-4:]] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    last = found[-1]["response"]
    assert (last["status"], last["incomplete_details"]) == (
        "incomplete", {"reason": "content_filter"},
    )  # fmt: skip
    said = "".join(e["delta"] for e in found if e["type"] == "response.output_text.delta")
    assert said
    assert last["output"][0]["content"][0]["text"] == found[-4]["text"] == said
    assert last["output"][0]["status"] == "incomplete"
    assert last["id"] == "resp_68a0c1"
    numbers = [e["sequence_number"] for e in found]
    assert numbers == list(range(len(numbers)))
    assert asked.exchange.outcome == "blocked"


def test_a_half_sent_call_is_never_closed() -> None:
    data = STREAMS["openai_tools"].replace(b"Berlin", b"key-0123abcd")
    asked = asked_of(data, Bundle({"KEY": "block"}), *range(300, len(data), 300))
    found = events(asked.body)
    closed = [e["item"]["id"] for e in found if e["type"] == "response.output_item.done"]
    assert closed == ["rs_1", "msg_1", "fc_1"]
    assert found[-1]["type"] == "response.incomplete"
    assert [item["id"] for item in found[-1]["response"]["output"]] == closed


def test_a_block_before_the_first_event_is_a_plain_error() -> None:
    data = STREAMS["openai_text"]
    asked = asked_of(data, BLOCK)
    assert (asked.status, asked.error["param"]) == (400, "input")
    assert asked.headers["x-should-retry"] == "false"


def test_a_blocked_answer_says_that_it_was_filtered() -> None:
    asked = asked_of(WHOLE, BLOCK, kind="application/json", body=request())
    body = json.loads(asked.body)
    assert (asked.status, body["status"]) == (200, "incomplete")
    assert body["incomplete_details"] == {"reason": "content_filter"}
    assert body["usage"] == json.loads(WHOLE)["usage"]
    assert body["id"] != json.loads(WHOLE)["id"]
    assert b"alice" not in asked.body


@pytest.mark.parametrize(
    ("data", "last"),
    [(b": hello\n\n", "error"), (STREAMS["openai_text"][:4_000], "response.failed")],
)
def test_a_broken_upstream_has_last_words(data: bytes, last: str) -> None:
    asked = asked_of(data, Bundle({}), fail="body")
    found = events(asked.body[asked.body.rindex(b"event: ") :])
    assert found[-1]["type"] == last
    assert asked.exchange.error == "upstream_unreachable"
    if last == "response.failed":
        assert found[-1]["response"]["status"] == "failed"
        before = events(asked.body)[-2]["sequence_number"]
        assert found[-1]["sequence_number"] == before + 1


# (fields of a request, its states)
STATES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"store": False}, ()),
    ({}, ("store_default",)),
    ({"store": True}, ("store",)),
    ({"store": False, "background": True}, ("background",)),
    ({"store": False, "previous_response_id": "resp_1"}, ("previous_response_id",)),
    ({"store": False, "conversation": {"id": "conv_1"}}, ("conversation",)),
    ({"store": False, "input": [{"type": "item_reference", "id": "msg_1"}]}, ("item_reference",)),
]


@pytest.mark.parametrize(("fields", "states"), STATES)
def test_what_is_kept_or_recalled_is_told(fields: Any, states: tuple[str, ...]) -> None:
    assert RESPONSES.read(Call(request(**fields))).states == states


@pytest.mark.parametrize(
    ("fields", "asks"),
    [
        ({}, ()),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, ("resp_1", "conv_1")),
        ({"conversation": {"id": "conv_1"}}, ("conv_1",)),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, ("msg_1",)),
        ({"previous_response_id": None, "conversation": None}, ()),
    ],
)
def test_what_is_reached_for_must_be_owned(fields: Any, asks: tuple[str, ...]) -> None:
    assert RESPONSES.read(Call(request(**fields))).asks == asks
    if asks:
        foreign = asked_of(WHOLE, Bundle({}), body=request(**fields), kind="application/json")
        assert foreign.status == 404


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("fields", "kept"), [({"store": False}, False), ({}, True), ({"background": True}, True)]
)
def test_ids_are_noted_of_what_is_kept(stream: bool, fields: Any, kept: bool) -> None:
    shelf = Shelf()
    data, kind = (STREAMS["openai_text"], SSE) if stream else (WHOLE, "application/json")
    asked_of(data, Bundle({}), body=request(stream=stream, **fields), kind=kind, shelf=shelf)
    ids = {("acme", "resp_68a0c1"): "m", ("acme", "msg_1"): "m"}
    assert shelf.models == (ids if kept else {})


def test_without_a_model_it_goes_where_the_one_before_was_made() -> None:
    body = json.dumps({"input": "And?", "previous_response_id": "resp_1"}).encode()
    shelf = Shelf({("acme", "resp_1"): "made-with"})
    asked = asked_of(WHOLE, Bundle({}), body=body, kind="application/json", shelf=shelf)
    assert asked.exchange.route is not None
    assert asked.exchange.route.model == "made-with"
    with pytest.raises(Unreadable):
        RESPONSES.read(Call(b'{"input":"And?"}'))


# (dialect, method, what it recalls, where it goes)
STORED = [
    ("stored", "GET", ("retrieval",), "/v1/responses/resp_1"),
    ("stored", "DELETE", (), "/v1/responses/resp_1"),
    ("items", "GET", ("retrieval",), "/v1/responses/resp_1/input_items"),
    ("cancel", "POST", (), "/v1/responses/resp_1/cancel"),
]


@pytest.mark.parametrize(("name", "method", "states", "path"), STORED)
def test_what_is_kept_is_named_by_its_path(
    name: str, method: str, states: tuple[str, ...], path: str
) -> None:
    dialect = ALL[f"openai_responses_{name}"]
    call = Call(b"", method, {"id": "resp_1"})
    message = dialect.read(call)
    assert (message.states, message.path, message.asks) == (states, path, ("resp_1",))
    assert (message.method, message.body) == (method, b"")
    for shelf, status in ((Shelf(), 404), (Shelf({("acme", "resp_1"): "m"}), 200)):
        backend = Backend(b"{}")
        assert ask(house(backend, Bundle({}), shelf=shelf), call, dialect=dialect).status == status
        assert len(backend.bodies) == (status == 200)


def test_a_path_that_holds_text_is_refused() -> None:
    with pytest.raises(Unreadable):
        ALL["openai_responses_stored"].read(Call(b"", "GET", {"id": "alice@example.com"}))


def test_text_in_an_identifiers_place_is_judged_in_each_delta() -> None:
    data = STREAMS["openai_text"].replace(b'"item_id":"msg_1"', b'"item_id":"al@example.com"')
    assert b"al@example.com" not in asked_of(data, REDACT).body


@pytest.mark.parametrize("data", [b'["alice@example.com"]', b'[{"delta":"alice@example.com"}]'])
def test_an_event_that_is_no_object_is_judged(data: bytes) -> None:
    asked = asked_of(b"data: " + data + b"\n\n", REDACT)
    assert b"alice@" not in asked.body
    assert asked.status == 200


def test_usage_and_model_are_told() -> None:
    for data, kind in ((STREAMS["openai_text"], SSE), (WHOLE, "application/json")):
        exchange = asked_of(data, Bundle({}), kind=kind).exchange
        assert exchange.usage == {"input": 21, "output": 17, "cached": 0, "reasoning": 0}
        assert exchange.answer_model == "gpt-5-mini-2025-08-07"


def test_a_failed_response_is_an_upstream_error() -> None:
    exchange = asked_of(STREAMS["router_unknown"], Bundle({})).exchange
    assert exchange.error == "upstream_error_event"
