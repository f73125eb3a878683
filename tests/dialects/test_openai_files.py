from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types import Batch, FileDeleted, FileObject, batch_create_params

from gateway import dialects
from gateway.core.calls import Call
from gateway.core.errors import Unreadable, UpstreamError
from gateway.core.message import Kind, Message
from gateway.dialects._fields import MAX_PARTS
from gateway.dialects._jsonl import APIS
from tests.dialects.walk import CANARY, answered, heard, strings
from tests.pipeline.fakes import WIRE as CHAT_WIRE
from tests.pipeline.fakes import Asked, Backend, Bundle, Shelf, ask, call_of, house

ALL = dialects.load()
FILES, CONTENT = ALL["openai_files"], ALL["openai_files_content"]
WIRE = CHAT_WIRE.parent
REDACT = Bundle({"EMAIL_ADDRESS": "redact"})
BLOCK = Bundle({"KEY": "block"})
MAIL = "alice.smith@example.com"


def form(data: bytes, purpose: str = "batch", media: str = "application/jsonl") -> Call:
    head = 'Content-Disposition: form-data; name="purpose"\r\n\r\n' + purpose
    file = (
        'Content-Disposition: form-data; name="file"; filename="f"\r\n'
        f"Content-Type: {media}\r\n\r\n"
    )
    body = f"--B\r\n{head}\r\n--B\r\n{file}".encode() + data + b"\r\n--B--\r\n"
    return Call(body, content_type="multipart/form-data; boundary=B")


def line(url: str = "/v1/chat/completions", **body: Any) -> bytes:
    value = {"custom_id": "r-1", "method": "POST", "url": url, "body": {"model": "m", **body}}
    return json.dumps(value).encode()


def upload(call: Call, bundle: Bundle = REDACT, **how: Any) -> tuple[Backend, Asked]:
    backend = Backend(b'{"id":"file-1","object":"file"}')
    return backend, ask(house(backend, bundle, **how), call, dialect=FILES)


def download(*pieces: bytes, bundle: Bundle = REDACT, kind: str = "application/octet-stream",
             fail: str = "") -> Asked:  # fmt: skip
    call = call_of(WIRE / "openai_files_content" / "output.request.json")
    backend = Backend(*pieces, kind=kind, fail=fail)
    return ask(house(backend, bundle, shelf=Shelf(own="m")), call, dialect=CONTENT)


def row(text: str) -> bytes:
    body = {"object": "chat.completion", "choices": [{"message": {"content": text}}]}
    return json.dumps({"custom_id": "r", "response": {"body": body}}).encode() + b"\n"


BY_URL = {dialect.paths[0]: dialect for dialect in ALL.values()}
BODIES = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": CANARY}]},
    "/v1/responses": {"input": CANARY, "store": False},
    "/v1/embeddings": {"input": CANARY},
    "/v1/completions": {"prompt": CANARY},
    "/v1/moderations": {"input": CANARY},
}


@pytest.mark.parametrize("url", APIS)
def test_each_line_is_read_as_its_api_reads_it(url: str) -> None:
    message = FILES.read(
        form(line("/v1/moderations", input="x") + b"\n" + line(url, **BODIES[url]))
    )
    (part,) = [part for part in message.parts if part.text == CANARY]
    body = json.dumps({"model": "m", **BODIES[url]}).encode()
    (alone,) = [part for part in BY_URL[url].read(Call(body)).parts if part.text == CANARY]
    assert part.path == f"/file/0/2/body{alone.path}"
    assert (part.role, part.kind) == (alone.role, alone.kind)
    assert (message.model, message.service, message.states) == ("m", "files", ("file",))


def test_a_line_asks_for_what_its_request_reaches_for() -> None:
    message = FILES.read(form(line("/v1/responses", input="x", previous_response_id="resp_1")))
    assert message.asks == ("resp_1",)
    assert message.states == ("file", "previous_response_id", "store_default")
    backend, asked = upload(form(line("/v1/responses", input="x", previous_response_id="resp_1")))
    assert (asked.status, backend.bodies) == (404, [])


GOOD = line("/v1/embeddings", input="x")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (GOOD + b"\n{", "Line 2"),
        (GOOD + b"\n\n" + GOOD[:-1] + b',"url":"x"}', "Line 3"),
        (b"[1]", "Line 1"),
        (b"\xef\xbb\xbf" + GOOD, "Line 1"),
        (GOOD + b"\n" + GOOD.replace(b'"m"', b'"other"'), "Line 2"),
        (line("/v1/images/generations", prompt=MAIL), "Line 1"),
        (line("/v1/Embeddings", input=MAIL), "Line 1"),
        (b'{"custom_id":"1","body":{"model":"m"}}', "Line 1"),
        (b'{"url":"/v1/embeddings","body":"alice.smith@example.com"}', "Line 1"),
        (b'{"url":"/v1/embeddings","body":{"input":"alice.smith@example.com"}}', "Line 1"),
        (GOOD + b"\r" + GOOD, "Line 1"),
        (b"\xff" + GOOD, "UTF-8"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(data: bytes, told: str) -> None:
    with pytest.raises(Unreadable) as raised:
        FILES.read(form(data))
    assert told in raised.value.refusal.message
    assert "alice" not in raised.value.refusal.message
    assert "other" not in raised.value.refusal.message


def test_a_file_of_too_many_texts_is_to_be_split() -> None:
    with pytest.raises(Unreadable, match="request_too_large") as raised:
        FILES.read(form(line("/v1/embeddings", input=["x"] * (MAX_PARTS + 1))))
    assert raised.value.refusal.status == 413


def test_a_blocked_line_leaves_nothing() -> None:
    backend, asked = upload(form(GOOD + b"\n" + line(input="key-0123abcd")), BLOCK)
    assert (asked.status, backend.bodies) == (400, [])


@pytest.mark.parametrize("purpose", ["fine-tune", "evals"])
def test_examples_are_judged_line_by_line(purpose: str) -> None:
    rows = json.dumps({"item": {"q": MAIL}, "messages": [{"role": "user", "content": "b@c.de"}]})
    backend, _ = upload(form(rows.encode() + b"\r\n{}", purpose))
    (sent,) = backend.bodies
    told = rows.replace(MAIL, "[EMAIL_ADDRESS]").replace("b@c.de", "[EMAIL_ADDRESS]")
    assert sent == form(told.encode() + b"\r\n{}", purpose).body


@pytest.mark.parametrize(
    ("data", "media", "found"),
    [
        (b"to bob@example.org", "text/plain", "to bob@example.org"),
        (b"to bob@example.org", "application/octet-stream", "to bob@example.org"),
        (b"to bob@example.org", "image/png", "to bob@example.org"),
        (b'{"to":"bob\\u0040example.org"}', "application/json", "bob@example.org"),
        (b"\x00\xff", "image/png", "image/png"),
        (b"to\x00bob", "application/x-odd", "application/*"),
    ],
)
def test_other_files_are_text_if_they_are_text(data: bytes, media: str, found: str) -> None:
    message = FILES.read(form(data, "user_data", media))
    texts = [p.text for p in message.parts if p.path.startswith("/file/0") and p.kind is Kind.TEXT]
    assert found in (*texts, *(o.media_type for o in message.opaque))
    assert message.model == ""


@pytest.mark.parametrize(
    "call",
    [
        form(b"\xff", "user_data", "text/plain"),
        form(GOOD, "Batch"),
        form(GOOD, "any"),
        replace(form(GOOD), body=form(GOOD).body.replace(b'name="file"', b'name="fill"')),
        replace(form(GOOD), body=form(GOOD).body.replace(b'; filename="f"', b"")),
        Call(b'{"purpose":"batch"}'),
        Call(b"", method="GET"),
    ],
)  # fmt: skip
def test_what_is_no_upload_is_refused(call: Call) -> None:
    with pytest.raises(Unreadable):
        FILES.read(call)


def test_what_is_kept_is_noted_before_its_id_is_told() -> None:
    shelf = Shelf(own="m")
    call = call_of(WIRE / "openai_batches" / "new.request.json")
    answer = (WIRE / "openai_batches_stored" / "get.json").read_bytes()
    ask(house(Backend(answer), Bundle({}), shelf=shelf), call, dialect=ALL["openai_batches"])
    kept = {id_ for _, id_ in shelf.models}
    assert kept == {"batch_68a0", "file-out1", "file-err1"}
    shelf = Shelf()
    upload(form(GOOD), shelf=shelf)
    assert shelf.models == {("acme", "file-1"): "m"}


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("openai_batches", "new"), ("openai_batches_stored", "get"),
        ("openai_batches_cancel", "cancel"), ("openai_files_stored", "get"),
        ("openai_files_stored", "delete"), ("openai_files_content", "output"),
    ],
)  # fmt: skip
def test_what_is_not_this_tenants_is_not_there(name: str, request_: str) -> None:
    backend = Backend(b"{}")
    call = call_of(WIRE / name / f"{request_}.request.json")
    asked = ask(house(backend, Bundle({})), call, dialect=ALL[name])
    assert (asked.status, asked.error["code"], backend.bodies) == (404, "not_found", [])


def test_raw_tokens_and_offsets_follow_an_edited_answer() -> None:
    data = (WIRE / "openai_files_content" / "output.ndjson").read_bytes()
    first, second, *_ = download(data).body.split(b"\n")
    (choice,) = json.loads(first)["response"]["body"]["choices"]
    assert choice["message"]["content"] == "Write to [EMAIL_ADDRESS]."
    assert choice["logprobs"] is None
    (text,) = json.loads(second)["response"]["body"]["output"][0]["content"]
    (note,) = text["annotations"]
    assert text["text"][note["start_index"] : note["end_index"]] == "[EMAIL_ADDRESS]"
    assert text["logprobs"] == []


def test_a_secret_in_a_later_line_ends_the_file_with_a_line_that_says_so() -> None:
    asked = download(row("one"), row("key-0123abcd"), row("three"), bundle=BLOCK)
    first, last = asked.body.splitlines()
    assert first + b"\n" == row("one")
    assert json.loads(last)["error"] == {"code": "policy_violation", "message": "Not allowed."}
    assert asked.exchange.refusal is not None


def test_a_secret_in_the_first_line_is_a_refusal() -> None:
    asked = download(row("key-0123abcd"), bundle=BLOCK)
    assert (asked.status, asked.error["code"]) == (400, "policy_violation")


def test_a_file_that_breaks_off_does_not_end_as_if_it_were_whole() -> None:
    asked = download(row("one"), row("two"), fail="body")
    assert asked.exchange.cut_off


@pytest.mark.parametrize("more", [b"not JSON alice\n", b"[1]\n", b"\xff\n", b"{\n"])
def test_a_file_of_lines_holds_nothing_else(more: bytes) -> None:
    reader = CONTENT.reader(Message(b"", ()), status=200, content_type="")
    with pytest.raises(UpstreamError):
        reader.feed(row("x") + more)


def test_a_file_that_cannot_be_read_is_opaque() -> None:
    asked = download(b"%PDF-1.7\n\xe2\xe3", b"\xcf\xd3", kind="application/pdf")
    (opaque,) = asked.exchange.response.coverage.opaque
    assert (opaque.media_type, opaque.size_bytes) == ("application/pdf", 13)
    assert asked.body == b"%PDF-1.7\n\xe2\xe3\xcf\xd3"


# --- the SDK's types -------------------------------------------------------------------

# By the last name in a place's path; what of it looks like text is judged all the same.
PLAIN = {
    "id", "object", "purpose", "status", "completion_window", "endpoint", "input_file_id",
    "output_file_id", "error_file_id", "model", "code", "param", "anchor",
}  # fmt: skip
ANSWERS = [
    (name, path, value)
    for name, kind in (
        ("openai_files", FileObject),
        ("openai_files_stored", FileDeleted),
        ("openai_batches", Batch),
    )
    for path, value in dict(strings(kind)).items()
]


@pytest.mark.parametrize(("name", "path", "value"), ANSWERS)
def test_every_string_of_an_answer_is_judged_or_declared(name: str, path: str, value: Any) -> None:
    last = path.rpartition("/")[2]
    frames = answered(ALL[name], json.dumps(value).encode(), "application/json")
    # The word that stands for every string here is no path.
    assert heard(frames) == (last not in PLAIN - {"endpoint"})


REQUEST = dict(strings(batch_create_params.BatchCreateParams))


@pytest.mark.parametrize("path", REQUEST)
def test_every_string_of_a_batch_is_judged_or_declared(path: str) -> None:
    value = {"input_file_id": "f", "endpoint": "/v1/embeddings", **REQUEST[path]}
    message = ALL["openai_batches"].read(Call(json.dumps(value).encode()))
    assert heard(message) == (path.rpartition("/")[2] not in PLAIN - {"endpoint"})
