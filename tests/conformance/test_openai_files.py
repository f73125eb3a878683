"""OpenAI's Python client at files and batches: what it returns or raises, and what was asked."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from gateway.clock import SystemClock
from gateway.identity.keytable import KeyTable
from tests.conformance.vendors import Says, Vendors, says
from tests.e2e.canaries import BY_NAME
from tests.e2e.running import Gateway

SECRET = BY_NAME["aws"]
MAIL = "alice.smith@example.com"


def ask(model: str, *texts: str) -> bytes:
    """The lines of a batch."""
    rows = [
        {"custom_id": f"r-{n}", "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": model, "messages": [{"role": "user", "content": text}]}}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def file_object(name: str, purpose: str = "batch") -> dict[str, Any]:
    return {"id": f"file-{name}", "object": "file", "bytes": 1, "created_at": 1,
            "filename": "f.jsonl", "purpose": purpose, "status": "processed"}  # fmt: skip


def batch_object(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"batch-{name}", "object": "batch", "endpoint": "/v1/chat/completions",
            "input_file_id": f"file-{name}", "completion_window": "24h", "created_at": 1,
            "status": "validating", **fields}  # fmt: skip


class Kept:
    """Files and batches of one model, as the vendor keeps them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.uploaded = b""
        self.states = iter(["in_progress", "completed"])

    def __call__(self, got: Any) -> Says:
        path = got.path.removeprefix("/v1")
        if path == "/files":
            self.uploaded = got.body
            return says(file_object(self.name))
        if path.endswith("/content"):
            return Says([self._output()], "application/octet-stream")
        if path.endswith("/cancel"):
            return says(batch_object(self.name, status="cancelling"))
        if path == "/batches":
            return says(batch_object(self.name))
        if path.startswith("/batches/"):
            state = next(self.states)
            done = f"file-out-{self.name}" if state == "completed" else None
            return says(batch_object(self.name, status=state, output_file_id=done))
        if got.method == "DELETE":
            return says({"id": f"file-{self.name}", "object": "file", "deleted": True})
        return says(file_object(self.name))

    def _output(self) -> bytes:
        """Each request's text, said back."""
        rows = [json.loads(r) for r in self.uploaded.split(b"\n") if r.startswith(b'{"custom_id"')]
        out = []
        for row in rows:
            text = row["body"]["messages"][0]["content"]
            message = {"role": "assistant", "content": f"You said: {text} {MAIL}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = {"id": "c", "object": "chat.completion", "created": 1, "model": self.name,
                    "choices": [choice]}  # fmt: skip
            response = {"status_code": 200, "request_id": "q", "body": body}
            out.append({"id": "b", "custom_id": row["custom_id"], "response": response,
                        "error": None})  # fmt: skip
        return b"".join(json.dumps(row).encode() + b"\n" for row in out)


@pytest.fixture(scope="module")
def stranger(gateway: Gateway) -> str:
    """A key of another tenant's."""
    return KeyTable(gateway.engine, SystemClock()).new("files-stranger", tenant="globex")[1]


def upload(client: openai.OpenAI, data: bytes, purpose: Any = "batch") -> Any:
    return client.files.create(file=("requests.jsonl", data), purpose=purpose)


def test_a_batch_from_its_file_to_its_answers(gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-files-batch", Kept("openai-files-batch"))
    with gateway.sdk() as client:
        file = upload(client, ask(model, f"Write to {MAIL}", "Hello"))
        batch = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        while batch.status != "completed":
            batch = client.batches.retrieve(batch.id)
        assert batch.output_file_id is not None
        lines = client.files.content(batch.output_file_id).text.splitlines()
        assert client.batches.cancel(batch.id).status == "cancelling"
        assert client.files.retrieve(file.id).purpose == "batch"
        assert client.files.delete(file.id).deleted
    sent = vendors.of(model)[0]
    assert sent.path == "/v1/files"
    assert MAIL.encode() not in sent.body
    assert b"Write to EMAIL_" in sent.body
    said = [json.loads(r)["response"]["body"]["choices"][0]["message"]["content"] for r in lines]
    # Nothing is stored, so what was pseudonymised hours ago cannot be put back.
    assert said[0].startswith("You said: Write to EMAIL_")
    assert said[1].startswith("You said: Hello")


def test_a_line_with_a_secret_stops_the_file_before_it_leaves(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("openai-files-secret", Kept("openai-files-secret"))
    with gateway.sdk() as client, pytest.raises(openai.BadRequestError) as raised:
        upload(client, ask(model, "Hello", SECRET.text))
    assert raised.value.code == "policy_violation"
    assert SECRET.value not in str(raised.value.body)
    assert vendors.of(model) == []


def test_lines_get_the_name_that_the_backend_knows(gateway: Gateway, vendors: Vendors) -> None:
    there = vendors.answer("openai-files-as-called-there", Kept("openai-files-as-called-there"))
    with gateway.sdk() as client:
        upload(client, ask("files-renamed", "One", "Two"))
    (got,) = vendors.of(there)
    assert got.body.count(b'"model": "openai-files-as-called-there"') == 2
    assert b"files-renamed" not in got.body


@pytest.mark.parametrize("model", ["gemini-renamed", "no-such-model"])
def test_a_model_that_is_elsewhere_is_refused(gateway: Gateway, model: str) -> None:
    with gateway.sdk() as client, pytest.raises(openai.NotFoundError) as raised:
        upload(client, ask(model, "Hello"))
    assert raised.value.code == "model_not_found"
    assert "line 1" in raised.value.message
    assert model not in str(raised.value.body)


def test_what_one_tenant_keeps_is_not_there_for_another(
    gateway: Gateway, vendors: Vendors, stranger: str
) -> None:
    model = vendors.answer("openai-files-own", Kept("openai-files-own"))
    with gateway.sdk() as client, gateway.sdk(stranger) as other:
        file = upload(client, ask(model, "Hello"))
        batch = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        calls = len(vendors.of(model))
        for attempt in (
            lambda: other.files.retrieve(file.id),
            lambda: other.files.content(file.id),
            lambda: other.files.delete(file.id),
            lambda: client.files.content("file-out-openai-files-own"),
            lambda: other.batches.retrieve(batch.id),
            lambda: other.batches.cancel(batch.id),
            lambda: other.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            ),
        ):
            with pytest.raises(openai.NotFoundError):
                attempt()
        assert len(vendors.of(model)) == calls


def test_a_batch_needs_a_file_whose_lines_were_read_as_requests(
    gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("openai-files-notes", Kept("openai-files-notes"))
    with gateway.sdk() as client:
        file = upload(client, ask(model, "Hello"), "user_data")
        with pytest.raises(openai.BadRequestError) as raised:
            client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )
    assert raised.value.code == "not_a_batch_file"


def test_there_is_no_list_of_what_all_tenants_keep(gateway: Gateway) -> None:
    with gateway.sdk() as client:
        for listing in (client.files.list, client.batches.list):
            with pytest.raises(openai.PermissionDeniedError, match="other tenants"):
                listing()
