"""The elements of a JSON array, however they are cut."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.errors import UpstreamError
from gateway.dialects import _elements
from gateway.dialects._elements import Elements

CASES = {
    b'[{"a":"]}\\"[{"}\n,\r\n{"b":[1,{"c":"\\\\"}]}\n]\n': [
        b'{"a":"]}\\"[{"}', b'{"b":[1,{"c":"\\\\"}]}', b"", b"",
    ],
    b'  [ {"a":1},{"b":2} ] ': [b'{"a":1}', b'{"b":2}', b"", b""],
    b"[]": [b""],
    b"[\n]": [b""],
    b'["a,]", 1.50,null]': [b'"a,]"', b"1.50", b"null", b""],
    b'{"error": {"code": [1]}}\n': [b'{"error": {"code": [1]}}', b""],
    b'[{"a":1},{"b"': [b'{"a":1}', b'{"b"'],
    b"<html>, no": [b"<html>, no"],
}  # fmt: skip


@pytest.mark.parametrize("data", CASES)
def test_elements_do_not_depend_on_how_they_were_cut(data: bytes) -> None:
    for size in (1, 2, 3, 5, 100):
        cutter = Elements()
        found = [e for i in range(0, len(data), size) for e in cutter.feed(data[i : i + size])]
        events = [cutter.event(raw) for raw in [*found, *cutter.flush()]]
        assert [e.data for e in events] == CASES[data]
        assert b"".join(e.raw for e in events) == data
        assert all(e.raw[e.start : e.end] == e.data for e in events if e.data)


def test_an_element_cannot_grow_without_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_elements, "MAX_EVENT_BYTES", 10)
    with pytest.raises(UpstreamError):
        Elements().feed(b'[{"a": "xxxxxxxx')


class Watched(bytearray):
    """Counts the bytes that are read out of it."""

    read = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(key, slice):
            Watched.read += len(found)
        return found


@pytest.mark.parametrize("data", [b"[" + b"," * 5_000, b"[" + b" ,1" * 2_000, b"[{}," * 2_000])
def test_no_byte_is_looked_at_again_and_again(data: bytes) -> None:
    cutter = Elements()
    cutter._buffer = Watched()
    Watched.read = 0
    cutter.feed(data)
    assert Watched.read <= 2 * len(data)
