"""Whatever is sent to the door for whichever API: a clear refusal in its own words, or judged.

Over real HTTP, so what the server's own parser makes of it is in it too.
"""

from __future__ import annotations

import functools
import gzip
import http.client
import itertools
import json
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.damages import DAMAGES
from tests.dialects.samples import ALL
from tests.fuzzing import LONG, MAIL, TRIED, body_of, changed, few, fuzzed
from tests.server.conftest import Site, serving
from tests.server.everything import (
    MAX_BODY,
    OVER_HTTP,
    RULES,
    Upstream,
    is_refusal,
    leaks,
    parts,
    sample_calls,
)

KEY = [("host", "gateway"), ("authorization", "Bearer gw_good"), ("connection", "close")]
seldom = functools.partial(fuzzed, how=few)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    upstream = Upstream()
    more = parts(upstream, tmp_path_factory.mktemp("catalogue"))
    with serving() as start:
        yield start(upstream, RULES, MAX_BODY, list(ALL.values()), **more)


@dataclass
class Told:
    """An answer. ours: the gateway's own, not that of the server's HTTP parser."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ours(self) -> bool:
        return "gw-request-id" in self.headers


def exchange(site: Site, method: str, target: str, headers: Any, raw: bytes) -> Told:
    """Send bytes behind a request's head; hear what comes back."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers)]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as sock:
        # It may be refused before all of it was sent.
        with suppress(OSError):
            sock.sendall(head + raw)
        with closing(http.client.HTTPResponse(sock, method=method)) as answer:
            answer.begin()
            body = answer.read()
            return Told(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)


def ask(site: Site, name: str, call: Any, target: str, body: bytes, **more: str) -> Told:
    """A whole request with this body; checked for what always holds."""
    site.backend.bodies.clear()
    headers = {"content-type": call.content_type, "content-length": str(len(body)), **more}
    told = exchange(site, call.method, target, [*KEY, *headers.items()], body)
    check(site, name, told)
    return told


def framed(site: Site, name: str, raw: bytes, **more: str) -> Told:
    """A request whose framing is the test's own."""
    site.backend.bodies.clear()
    target, call = sample_calls(name)[0]
    headers = {"content-type": call.content_type, **more}
    return exchange(site, call.method, target, [*KEY, *headers.items()], raw)


def chunked(body: bytes, *cuts: int, extension: bytes = b"") -> bytes:
    ends = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    pieces = (body[a:b] for a, b in itertools.pairwise(ends))
    lines = b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in pieces)
    return lines + b"0\r\n\r\n"


def check(site: Site, name: str, told: Told) -> None:
    """A success or a refusal in the dialect's words; nothing went on or came back unjudged."""
    assert told.status < 500, told.body
    if told.status >= 400:
        assert told.ours
        assert told.headers["content-type"] == "application/json"
        assert is_refusal(ALL[name], told.body), told.body
        assert site.backend.bodies == []
    else:
        assert len(site.backend.bodies) == 1
    assert not leaks(told.body)
    assert not any(leaks(body) for body in site.backend.bodies)


@pytest.mark.parametrize("name", OVER_HTTP)
@seldom
@given(data=st.data())
def test_a_damaged_body_is_refused_or_judged(site: Site, name: str, data: Any) -> None:
    target, call = data.draw(st.sampled_from(sample_calls(name)))
    body = call.body
    for damage in data.draw(st.lists(st.sampled_from(sorted(DAMAGES)), min_size=1, max_size=2)):
        body = DAMAGES[damage](body, data.draw(st.integers(0, max(1, len(call.body)))))
    ask(site, name, call, target, body)


@pytest.mark.parametrize("name", OVER_HTTP)
def test_each_damage_is_refused_or_judged(site: Site, name: str) -> None:
    """In a quick run each dialect takes its turn at a quarter of them."""
    target, call = sample_calls(name)[0]
    turn, step = (0, 1) if LONG else (OVER_HTTP.index(name) % 4, 4)
    for damage in sorted(DAMAGES)[turn::step]:
        TRIED[__name__] += 1
        ask(site, name, call, target, DAMAGES[damage](call.body, len(call.body) // 3))


@pytest.mark.parametrize("name", OVER_HTTP)
@seldom
@given(data=st.data())
def test_a_value_of_another_type_is_refused_or_judged(site: Site, name: str, data: Any) -> None:
    target, call = data.draw(st.sampled_from(sample_calls(name)))
    try:
        value = json.loads(call.body)
    except ValueError:
        value = {}
    ask(site, name, call, target, body_of(data.draw(changed(value))))


# --- what stands around a body ------------------------------------------------------------

# What it says it is in -> what it is; (made of the body, or as it is).
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: b"\x0b\x02\x80" + body,
    "zstd": lambda body: b"\x28\xb5\x2f\xfd" + body,
    "compress": lambda body: body,
    "identity, gzip": gzip.compress,
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
    "aes128gcm": lambda body: body,
    "nothing known": lambda body: body,
}
TYPES = [
    "text/html", "application/xml", "application/x-www-form-urlencoded", "application/jsonl",
    "application/octet-stream", "application/json+x", "multipart/mixed; boundary=x", "json", "*/*",
    ";", "application/json, text/plain", "application/grpc", "\xff\xfe/\x80",
]  # fmt: skip
BOMB = gzip.compress(b"[" * 20_000_000)


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_compressed_body_is_refused(site: Site, name: str) -> None:
    target, call = sample_calls(name)[0]
    for encoding, packed in ENCODINGS.items():
        TRIED[__name__] += 1
        told = ask(site, name, call, target, packed(call.body), **{"content-encoding": encoding})
        assert told.status == 415
    for body in (BOMB, gzip.compress(call.body)):
        # Packed, and not said so.
        TRIED[__name__] += 1
        told = ask(site, name, call, target, body)
        assert told.status == 400 or not call.body


@pytest.mark.parametrize("name", OVER_HTTP)
def test_another_content_type_is_refused(site: Site, name: str) -> None:
    target, call = sample_calls(name)[0]
    for kind in TYPES:
        TRIED[__name__] += 1
        told = ask(site, name, replace(call, content_type=kind), target, call.body)
        assert told.status == 415


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_body_that_is_too_large_is_refused(site: Site, name: str) -> None:
    large = b" " * (MAX_BODY + 1)
    lengths = [str(MAX_BODY + 1), str(10**12), str(2**63 - 1)]
    tried = [framed(site, name, b"", **{"content-length": length}) for length in lengths]
    tried.append(framed(site, name, large, **{"content-length": str(len(large))}))
    for piece in (MAX_BODY, 65_536, 10_000):
        raw = chunked(large, *range(0, len(large), piece))
        tried.append(framed(site, name, raw, **{"transfer-encoding": "chunked"}))
    for told in tried:
        TRIED[__name__] += 1
        check(site, name, told)
        assert told.status == 413


@pytest.mark.parametrize("name", OVER_HTTP)
@seldom
@given(data=st.data())
def test_chunks_make_no_difference(site: Site, name: str, data: Any) -> None:
    target, call = data.draw(st.sampled_from(sample_calls(name)))
    damage = DAMAGES[data.draw(st.sampled_from(sorted(DAMAGES)))]
    body = data.draw(st.sampled_from([call.body, damage(call.body, 9)]))
    whole = ask(site, name, call, target, body)
    sent = list(site.backend.bodies)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(body))), max_size=6))
    extension = data.draw(st.sampled_from([b"", b";a=b", b';a="' + MAIL.encode() + b'"']))
    raw = chunked(body, *cuts, extension=extension)
    site.backend.bodies.clear()
    headers = [("content-type", call.content_type), ("transfer-encoding", "chunked")]
    told = exchange(site, call.method, target, [*KEY, *headers], raw)
    check(site, name, told)
    assert (told.status, site.backend.bodies) == (whole.status, sent)


_CHUNKED = {"transfer-encoding": "chunked"}
# Bodies that HTTP itself cannot make out: (headers, bytes).
GARBAGE: dict[str, tuple[dict[str, str], bytes]] = {
    **{f"chunk size {size!r}": (_CHUNKED, size + b"\r\n{}\r\n0\r\n\r\n") for size in (
        b"zz", b"-1", b"0x2", b"", b" 2", b"2 2", b"ffffffffffffffffff", b"2\xff",
    )},
    "a chunk longer than told": (_CHUNKED, b"1\r\n{}\r\n0\r\n\r\n"),
    "no chunks": (_CHUNKED, b"{}\r\n\r\n"),
    "two lengths": ({"content-length": "2", "Content-Length": "3"}, b"{}"),
    "a negative length": ({"content-length": "-2"}, b"{}"),
    "an odd length": ({"content-length": "2a"}, b"{}"),
    "a length beyond all": ({"content-length": "9" * 30}, b"{}"),
    "a length and chunks": (
        {"content-length": "2", "transfer-encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n",
    ),
    "chunks that are not last": ({"transfer-encoding": "chunked, gzip"}, b"{}"),
    "chunks of an unknown kind": ({"transfer-encoding": "xchunked"}, b"{}"),
    "a folded header": ({"x-a": "b\r\n c"}, b""),
    "a header with a null": ({"x-a": "\x00"}, b""),
    "a header without end": ({"x-a": "a" * 2_000_000}, b""),
    "headers without end": ({f"x-{i}": "a" * 2_000 for i in range(500)}, b""),
    "a trailer without end": (
        _CHUNKED, b"2\r\n{}\r\n0\r\nx-a: " + b"a" * 2_000_000,
    ),
    "an extension without end": (_CHUNKED, b"2;" + b"a" * 2_000_000),
}  # fmt: skip


@pytest.mark.parametrize("case", GARBAGE)
@pytest.mark.parametrize("name", OVER_HTTP)
def test_what_is_not_http_goes_nowhere(site: Site, name: str, case: str) -> None:
    TRIED[__name__] += 1
    headers, raw = GARBAGE[case]
    told = framed(site, name, raw, **headers)
    assert (told.status, told.ours) == (400, False)
    assert not leaks(told.body)
    assert not any(leaks(body) for body in site.backend.bodies)
