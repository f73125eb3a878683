from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.apis import Reader
from gateway.core.calls import Call
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Message
from gateway.dialects.openai_completions import Member
from tests.pipeline.fakes import SSE, WIRE, Backend, Bundle, ask, finish_reasons, house

COMPLETIONS = Member()
WIRE_HERE = WIRE.parent / "openai_completions"
BLOCK = Refusal("policy_violation", "Not allowed.", rule="r", policy="p", categories=("KEY",))
CALL = Call(b'{"model":"m","prompt":"x","stream":true}')


def chunk(text: str, index: int = 0, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "text": text, "finish_reason": finish, **more}
    return {"id": "cmpl-1", "object": "text_completion", "model": "m1", "choices": [choice]}


def stream(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(v).encode() + b"\n\n" for v in values)


def reader(kind: str = SSE) -> Reader:
    return COMPLETIONS.reader(Message(b"", ()), status=200, content_type=kind)


@pytest.mark.parametrize(
    ("prompt", "texts", "opaque"),
    [
        ("a", ["a"], []),
        (["a", "b"], ["a", "b"], []),
        ([1, 2, 3], [], [("/prompt", 12)]),
        ([[1], [2, 3]], [], [("/prompt/0", 4), ("/prompt/1", 8)]),
        (["a", [1], 7], ["a"], [("/prompt", 4), ("/prompt/1", 4)]),
    ],
)
def test_token_numbers_are_opaque(prompt: Any, texts: list[str], opaque: Any) -> None:
    message = COMPLETIONS.read(Call(json.dumps({"model": "m", "prompt": prompt}).encode()))
    assert [p.text for p in message.parts] == texts
    assert [(o.path, o.size_bytes) for o in message.opaque] == opaque
    assert {o.media_type for o in message.opaque} <= {"application/x-tokens"}


def test_a_policy_can_stop_token_numbers() -> None:
    backend = Backend(b"{}")
    bundle = Bundle({"OPAQUE": "block"})
    asked = ask(house(backend, bundle), Call(b'{"model":"m","prompt":[1,2]}'), dialect=COMPLETIONS)
    assert (asked.status, backend.bodies) == (400, [])
    assert asked.error["param"] == "prompt"


@pytest.mark.parametrize(
    ("kind", "sample"), [("application/json", "openai_logprobs.json"), (SSE, "openai_logprobs.sse")]
)
def test_tokens_beside_an_edited_text_are_dropped(kind: str, sample: str) -> None:
    backend = Backend((WIRE_HERE / sample).read_bytes(), kind=kind)
    bundle = Bundle({"EMAIL_ADDRESS": "redact"})
    asked = ask(house(backend, bundle), CALL, dialect=COMPLETIONS)
    assert b"[EMAIL_ADDRESS]" in asked.body
    for token in (b'"ice"', b".smith", b"@example"):
        assert token not in asked.body
    assert b'" nobody"' in asked.body or b"Mail" in asked.body


def test_choices_are_texts_of_their_own_and_end_by_themselves() -> None:
    found = reader()
    frames = found.feed(stream(chunk("a", 1), chunk("b", 0, "stop"), chunk("", 1, "length")))
    assert [[(f.lane.choice, f.text) for f in frame.fragments] for frame in frames] == [
        [(1, "a")],
        [(0, "b")],
        [],
    ]
    assert [frame.closes for frame in frames] == [(), (0,), (1,)]
    assert found.feed(b"data: [DONE]\n\n")[0].closes == (ALL,)
    assert found.model == "m1"


@pytest.mark.parametrize(
    ("ended", "reasons"), [((), ["content_filter"] * 2), ((0,), ["content_filter"]), ((ALL,), [])]
)
def test_stopping_ends_what_is_open(ended: tuple[int, ...], reasons: list[str]) -> None:
    found = reader()
    found.feed(stream(chunk("a"), chunk("b", 1)))
    out = found.stop(BLOCK, "id-1", ended)
    assert finish_reasons(out) == reasons
    assert out.endswith(b"data: [DONE]\n\n") == (ALL not in ended)
    assert (b'"cmpl-1"' in out) == (ALL not in ended)


def test_a_blocked_answer_says_it_was_filtered_and_what_it_cost() -> None:
    whole = {**chunk("key-0123abcd", 0, "stop"), "usage": {"prompt_tokens": 2}}
    backend = Backend(json.dumps(whole).encode())
    asked = ask(house(backend, Bundle({"KEY": "block"})), CALL, dialect=COMPLETIONS)
    value = json.loads(asked.body)
    assert [(c["text"], c["finish_reason"]) for c in value["choices"]] == [("", "content_filter")]
    assert value["usage"] == {"prompt_tokens": 2}


def test_a_notice_is_one_more_chunk() -> None:
    found = reader()
    (frame,) = found.feed(stream(chunk("a", 1)))
    value = json.loads(found.add(frame, frame.fragments[0], 'x"')[6:])
    assert value["choices"][0]["text"] == 'x"'
    assert value["choices"][0]["index"] == 1


def test_a_broken_stream_ends_in_an_error_the_sdk_raises() -> None:
    backend = Backend(stream(chunk("a")), kind=SSE, fail="body")
    asked = ask(house(backend, Bundle({})), CALL, dialect=COMPLETIONS)
    last = asked.body.split(b"\n\n")[-2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "upstream_error"


@pytest.mark.parametrize("choices", [{"a": "x"}, ["x"], [["x"]], [{"index": "7", "text": "x"}]])
def test_odd_choices_are_judged_all_the_same(choices: Any) -> None:
    (frame,) = reader().feed(stream({"choices": choices}))
    texts = [f.text for f in frame.fragments] + [p.text for p in frame.parts]
    assert "x" in texts


def test_a_notice_stands_under_a_whole_text() -> None:
    backend = Backend(json.dumps(chunk("key-0123abcd", 0, "stop")).encode())
    asked = ask(
        house(backend, Bundle({"KEY": "label"}, notice="Mind it.")), CALL, dialect=COMPLETIONS
    )
    assert json.loads(asked.body)["choices"][0]["text"] == "key-0123abcd\n\nMind it."
