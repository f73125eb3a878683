"""JSON lines, however they are cut and ended."""

from __future__ import annotations

import pytest

from gateway.core.errors import UpstreamError
from gateway.dialects import _lines
from gateway.dialects._lines import Lines

DATA = b'\xef\xbb\xbf{"a":1}\n\n{"b":"\xc3\xbc"}\r\n \n{"c":\r1}\n{"d":2}'
TEXTS = [b'{"a":1}', b"", b'{"b":"\xc3\xbc"}', b" ", b'{"c":\r1}', b'{"d":2}']


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_lines_do_not_depend_on_how_they_were_cut(size: int) -> None:
    cutter = Lines()
    lines = [e for i in range(0, len(DATA), size) for e in cutter.feed(DATA[i : i + size])]
    events = [cutter.event(raw) for raw in [*lines, *cutter.flush()]]
    assert [e.data for e in events] == TEXTS
    assert b"".join(e.raw for e in events) == DATA
    assert all(e.raw[e.start : e.end] == e.data for e in events)


def test_a_line_cannot_grow_without_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lines, "MAX_EVENT_BYTES", 10)
    with pytest.raises(UpstreamError):
        Lines().feed(b"x" * 11)
