"""The door over real HTTP."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.server.door import normal
from gateway.server.listings import LISTINGS
from tests.pipeline.fakes import SSE, STREAMS, WHOLES, Backend, chat, heard
from tests.server.conftest import Site, wait_for

Serve = Callable[..., Site]
HELLO = chat()
CHAT_PATH = "/v1/chat/completions"
GOOD = {"authorization": "Bearer gw_good", "content-type": "application/json"}


def ask(
    site: Site,
    method: str = "POST",
    path: str = CHAT_PATH,
    body: Any = HELLO,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    try:
        connection.request(method, path, body, GOOD if headers is None else headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.fixture
def site(serve: Serve) -> Site:
    return serve(Backend(WHOLES["openai_text"]))


def test_an_exchange_goes_through(site: Site) -> None:
    status, headers, body = ask(site)
    assert (status, body) == (200, WHOLES["openai_text"])
    assert headers["content-length"] == str(len(body))
    assert "server" not in headers
    wait_for(lambda: len(site.sink.entries) == 2)
    assert site.sink.kinds == ["exchange.opened", "exchange.closed"]


# what is sent -> status and code of the refusal
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no key": ({"headers": {}}, 401, "invalid_api_key"),
    "a bad key": ({"headers": {"authorization": "Bearer gw_bad"}}, 401, "invalid_api_key"),
    "an empty key": ({"headers": {"authorization": "Bearer "}}, 401, "invalid_api_key"),
    "another scheme": ({"headers": {"authorization": "Basic gw_good"}}, 401, "invalid_api_key"),
    "a bad key and a bad body": (
        {"headers": {"authorization": "Bearer x", "content-type": "a/b"}}, 401, "invalid_api_key",
    ),
    "an unknown path": ({"path": "/v1/embeddings"}, 404, "unknown_path"),
    "a dotted path": ({"path": "/v1/x/../chat/completions"}, 404, "unknown_path"),
    "an encoded dotted path": ({"path": "/v1/%2e%2e/chat/completions"}, 404, "unknown_path"),
    "the root": ({"method": "GET", "path": "/", "body": None}, 404, "unknown_path"),
    "GET": ({"method": "GET", "body": None}, 405, "method_not_allowed"),
    "DELETE": ({"method": "DELETE", "body": None}, 405, "method_not_allowed"),
    "POST to a probe": ({"path": "/livez"}, 405, "method_not_allowed"),
    "POST to models": ({"path": "/v1/models"}, 405, "method_not_allowed"),
    "POST below models": ({"path": "/v1beta/models/m:predict"}, 404, "unknown_path"),
    "a declared large body": ({"body": b"x" * 10_001}, 413, "request_too_large"),
    "a form": ({"headers": GOOD | {"content-type": "text/plain"}}, 415, "unsupported_media_type"),
    "a compressed body": (
        {"headers": GOOD | {"content-encoding": "gzip"}}, 415, "unsupported_encoding",
    ),
    "not JSON": ({"body": b"{"}, 400, "unreadable_body"),
    "an unknown model": ({"body": chat(model="none")}, 404, "model_not_found"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why_and_is_not_sent_again(serve: Serve, case: str) -> None:
    how, status, code = REFUSED[case]
    site = serve(Backend(b"{}"))
    got, headers, body = ask(site, **how)
    error = json.loads(body)["error"]
    assert (got, error["code"]) == (status, code)
    assert headers["x-should-retry"] == "false"
    assert headers["x-request-id"] == headers["gw-request-id"]
    assert (headers["ai-disclosure"], headers["gw-decision"][:5]) == ("mode=none", "error")
    assert error["gateway"]["request_id"] == headers["gw-request-id"]
    assert site.backend.bodies == []


@pytest.mark.parametrize(("path", "allowed"), [(CHAT_PATH, "POST"), ("/v1/models", "GET")])
def test_a_wrong_method_is_told_the_right_ones(site: Site, path: str, allowed: str) -> None:
    status, headers, body = ask(site, "PUT", path, None)
    assert (status, headers["allow"]) == (405, allowed)
    assert f"takes {allowed} only" in json.loads(body)["error"]["message"]
    assert "allow" not in ask(site, "PUT", "/v1/nothing", None)[1]


def test_what_is_served_is_told_to_anybody(site: Site) -> None:
    status, headers, body = ask(site, "GET", "/openapi.json", None, {})
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["paths"].keys() >= {CHAT_PATH, "/v1/models", "/openapi.json"}
    assert ask(site, "HEAD", "/openapi.json", None, {})[2] == b""


def test_a_large_body_of_undeclared_length_is_refused(site: Site) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000

    status, _, body = ask(site, body=endless())
    assert (status, json.loads(body)["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("length", ["10000000000000000000000000", "-1", "9 9"])
def test_odd_lengths_are_refused(site: Site, length: str) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as sock:
        head = f"POST {CHAT_PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer gw_good\r\n"
        sock.sendall(f"{head}content-length: {length}\r\n\r\n".encode())
        assert int(sock.recv(1_000).split()[1]) in (400, 413)
    assert site.backend.bodies == []


TWICE = [
    ("anthropic-beta", "a-2025-01-01", "b-2025-02-02", 200),
    ("content-encoding", "gzip", "identity", 415),
    ("content-type", "text/plain", "application/json", 415),
    ("authorization", "Bearer gw_bad", "Bearer gw_good", 401),
]


@pytest.mark.parametrize(("name", "first", "second", "status"), TWICE)
def test_what_comes_twice_is_a_list(
    site: Site, name: str, first: str, second: str, status: int
) -> None:
    kept = [f"{k}: {v}" for k, v in GOOD.items() if k != name]
    lines = [*kept, f"{name}: {first}", f"{name}: {second}", f"content-length: {len(HELLO)}"]
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as sock:
        head = "\r\n".join([f"POST {CHAT_PATH} HTTP/1.1", "host: x", *lines])
        sock.sendall(f"{head}\r\n\r\n".encode() + HELLO)
        assert int(sock.recv(1_000).split()[1]) == status
    if status == 200:
        assert site.backend.heard[name] == f"{first}, {second}"


PATHS = [
    ("/v1/chat/completions", CHAT_PATH),
    ("/v1/chat/completions/", CHAT_PATH),
    ("//v1///chat/completions//", CHAT_PATH),
    ("/V1/Chat/COMPLETIONS", "/V1/Chat/COMPLETIONS"),
    ("/v1/./chat", "/v1/./chat"),
    ("//V1/v1//chat/completions", CHAT_PATH),
    ("/", "/"),
    ("", "/"),
]


@pytest.mark.parametrize(("path", "spelled"), PATHS)
def test_a_path_has_one_spelling(path: str, spelled: str) -> None:
    assert normal(path) == spelled


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions/", "//v1//chat/completions", "/V1/chat/Completions",
             "/v1/%63hat/completions", "/v1%2fchat%2Fcompletions", "/v1/chat/completions?x=1"]
)  # fmt: skip
def test_every_spelling_of_a_path_is_judged_alike(serve: Serve, path: str) -> None:
    site = serve(Backend(b"{}"), {"KEY": "block"})
    status, _, _ = ask(site, path=path, body=chat("key-0a1b2c3d"))
    assert (status, site.backend.bodies) == (400, [])
    wait_for(lambda: len(site.sink.entries) == 2)
    assert site.sink.kinds == ["exchange.opened", "exchange.closed"]


def test_a_key_the_database_learned_just_now_is_good(site: Site) -> None:
    assert ask(site, headers={"authorization": "bearer  gw_new "})[0] == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_probes_need_no_key(site: Site, method: str) -> None:
    for path in ("/livez", "/readyz", "/api/hello"):
        status, headers, body = ask(site, method, path, None, {})
        assert status == 200
        assert body == (b'{"status": "ok"}' if method == "GET" else b"")
        assert headers["content-length"] == "16"


def test_a_gateway_that_is_not_ready_says_so_and_takes_nothing(site: Site) -> None:
    site.problems["detectors"] = "starting"
    status, headers, body = ask(site)
    assert (status, json.loads(body)["error"]["code"]) == (503, "not_ready")
    assert (headers["retry-after"], headers["x-should-retry"]) == ("5", "true")
    status, _, body = ask(site, "GET", "/readyz", None, {})
    assert (status, json.loads(body)["problems"]) == (503, {"detectors": "starting"})
    assert ask(site, "GET", "/livez", None, {})[0] == 200


def test_models_are_listed_to_those_with_a_key(site: Site) -> None:
    status, _, body = ask(site, "GET", "/v1/models", None)
    assert (status, [m["id"] for m in json.loads(body)["data"]]) == (200, ["m"])
    assert json.loads(ask(site, "GET", "/v1/models/m", None)[2])["id"] == "m"
    assert ask(site, "GET", "/v1/models/other", None)[0] == 404
    assert ask(site, "GET", "/v1/models", None, {})[0] == 401
    assert ask(site, "HEAD", "/v1/models", None)[2] == b""


@pytest.mark.parametrize("path", LISTINGS)
def test_nothing_is_listed_to_those_without(site: Site, path: str) -> None:
    method = LISTINGS[path].method
    body = b'{"model": "m"}' if method == "POST" else None
    assert ask(site, method, path, body)[0] == 200
    assert ask(site, method, path, body, {})[0] == 401
    assert ask(site, "DELETE", path, None)[0] == 405


def test_a_stream_arrives_while_the_upstream_is_still_sending(serve: Serve) -> None:
    data = STREAMS["llamacpp_text"]
    half = data[: data.index(b"smith@")]
    site = serve(Backend(half[: half.rindex(b"data:")], kind=SSE, fail="hang"))
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("POST", CHAT_PATH, chat(stream=True), GOOD)
    answer = connection.getresponse()
    first = answer.read1()
    assert answer.getheader("transfer-encoding") == "chunked"
    assert heard(first)["0/content"].startswith("¡Hola")
    assert site.sink.kinds == ["exchange.opened"]
    answer.close()
    connection.close()
    wait_for(lambda: site.backend.closed == 1)
    wait_for(lambda: len(site.sink.entries) == 2)
    assert site.sink.closed["outcome"] == "disconnected"


def test_a_client_that_leaves_before_the_answer_ends_the_upstream_call(serve: Serve) -> None:
    site = serve(Backend(fail="hang"))
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("POST", CHAT_PATH, chat(), GOOD)
    wait_for(lambda: bool(site.backend.bodies))
    connection.close()
    wait_for(lambda: len(site.sink.entries) == 2)
    assert (site.sink.closed["outcome"], site.backend.closed) == ("disconnected", 1)


def test_a_client_that_leaves_before_its_body_has_arrived_is_no_exchange(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as sock:
        head = f"POST {CHAT_PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer gw_good\r\n"
        sock.sendall(f"{head}content-length: 100\r\n\r\n{{".encode())
    assert ask(site)[0] == 200
    wait_for(lambda: len(site.sink.entries) == 2)
    assert site.sink.kinds == ["exchange.opened", "exchange.closed"]


def test_a_stream_that_fails_on_our_side_is_cut_and_not_ended(serve: Serve) -> None:
    site = serve(Backend(STREAMS["llamacpp_text"][:700], kind=SSE, fail="bug"))
    with pytest.raises(http.client.IncompleteRead):
        ask(site)
    wait_for(lambda: len(site.sink.entries) == 2)
    assert site.sink.closed["outcome"] == "failed"


def test_connections_serve_one_request_after_another(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    for _ in range(3):
        connection.request("POST", CHAT_PATH, chat(), GOOD)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, WHOLES["openai_text"])
    connection.close()
