"""What holds for every dialect, also for one that is added tomorrow."""

from __future__ import annotations

import json

import pytest

from gateway import dialects
from gateway.core.apis import Dialect
from gateway.core.calls import Call
from gateway.core.errors import ConfigError, Unreadable
from gateway.core.judgement import Refusal, Route
from gateway.core.splice import insert_member
from gateway.server.paths import SOCKET, method_and_path
from tests.pipeline.fakes import WIRE, call_of

ALL = dialects.load()
SAMPLES = [
    (name, path) for name in ALL for path in sorted((WIRE.parent / name).glob("*.request.*"))
]
STATUSES = (400, 401, 403, 404, 405, 413, 415, 500, 502, 503, 504)


@pytest.fixture(params=ALL)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return ALL[request.param]


def test_a_dialect_is_called_as_its_file_and_says_what_it_serves(dialect: Dialect) -> None:
    assert ALL[dialect.name] is dialect
    assert dialect.operation
    assert dialect.paths
    for spelt in dialect.paths:
        method, path = method_and_path(spelt)
        assert method in {"GET", "POST", "DELETE", "PUT", "PATCH", SOCKET}
        assert path == path.lower().rstrip("/")
        assert path.startswith("/")


def test_every_dialect_lists_its_fields_and_their_fates(dialect: Dialect) -> None:
    rows = dialect.manifest()
    assert {row.fate for row in rows} <= {"judged", "opaque", "not judged"}
    assert all(row.why for row in rows)
    assert dialect.names() >= {s for row in rows for s in row.path.split("/")} - {"", "*"}
    assert len({(row.direction, row.path) for row in rows if row.fate == "judged"}) > 1


def test_no_two_dialects_serve_one_path() -> None:
    paths = [path for dialect in ALL.values() for path in dialect.paths]
    assert len(paths) == len(set(paths))


def test_every_dialect_has_wire_samples() -> None:
    assert {name for name, _ in SAMPLES} == set(ALL)


@pytest.mark.parametrize(("name", "path"), SAMPLES, ids=lambda v: getattr(v, "stem", v))
def test_every_part_can_be_found_in_its_body(name: str, path: object) -> None:
    body = path.read_bytes()  # type: ignore[attr-defined]
    message = ALL[name].read(call_of(path))
    assert message.body == body
    assert message.parts or not body
    assert len({part.path for part in message.parts}) == len(message.parts)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"a":1,"a":1}', b"\xff", b"x" * 99])
def test_what_is_no_request_is_unreadable(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(Unreadable):
        dialect.read(Call(body))


@pytest.mark.parametrize(("name", "path"), SAMPLES, ids=lambda v: getattr(v, "stem", v))
def test_only_the_models_name_changes_on_the_way(name: str, path: object) -> None:
    body = path.read_bytes()  # type: ignore[attr-defined]
    message = ALL[name].read(call_of(path))
    same = Route(message.model, message.model, "b", "p")
    assert ALL[name].forward(message, {}, same) is message.body
    other = ALL[name].forward(message, {}, Route(message.model, 'o"x/y', "b", "p"))
    if not message.model or "{model}" in message.path:
        repeated = f'"models/{message.model}"'.encode()
        assert other == body.replace(repeated, b'"models/o\\"x/y"')
        return
    if b'"model"' not in body:
        # A body may leave out what its API implies; a backend that would not is told.
        assert other == insert_member(body, "model", 'o"x/y')
        return
    if message.service:
        # Each line of a file names it, as JSON.
        assert other == body.replace(json.dumps(message.model).encode(), b'"o\\"x/y"')
        return
    if body.startswith(b"--"):
        assert other == body.replace(message.model.encode(), b'o"x/y', 1)
        return
    assert json.loads(other) == json.loads(body) | {"model": 'o"x/y'}
    assert other == body.replace(json.dumps(message.model).encode(), b'"o\\"x/y"', 1)


@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_is_json_that_no_client_sends_again(dialect: Dialect, status: int) -> None:
    reply = dialect.refuse(Refusal("a_code", "Words.", status), "id-1")
    assert (reply.status, reply.headers["x-should-retry"]) == (status, "false")
    assert "retry-after" not in reply.headers
    assert b"Words." in reply.body
    assert b'"None"' not in reply.body
    assert "id-1" in json.dumps(json.loads(reply.body))


def test_only_what_passes_by_itself_is_worth_a_retry(dialect: Dialect) -> None:
    reply = dialect.refuse(Refusal("busy", "Words.", 503, retry_after_s=5), "id-1")
    assert reply.headers["x-should-retry"] == "true"
    assert reply.headers["retry-after"] == "5"


def test_a_folder_member_without_a_dialect_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "discover", lambda *_: {"odd": json})
    with pytest.raises(ConfigError, match="no class Member"):
        dialects.load()
