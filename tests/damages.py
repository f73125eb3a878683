"""What no sound encoder writes: ways to damage a body at a place, by name.

Most plant an address where a reader that is led astray would pass it by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from tests.fuzzing import MAIL

Damage = Callable[[bytes, int], bytes]


def _put(what: bytes) -> Damage:
    return lambda body, at: body[:at] + what + body[at:]


def _behind(mark: bytes, what: bytes) -> Damage:
    """Behind one of the marks."""

    def put(body: bytes, at: int) -> bytes:
        ends = [m.end() for m in re.finditer(re.escape(mark), body)] or [0]
        end = ends[at % len(ends)]
        return body[:end] + what + body[end:]

    return put


def _value(what: bytes) -> Damage:
    """In place of one of the values that are no objects or lists."""

    def put(body: bytes, at: int) -> bytes:
        found = list(re.finditer(rb':\s*("(?:[^"\\]|\\.)*"|[-\d.eE+]+|true|false|null)', body))
        if not found:
            return body + what
        start, end = found[at % len(found)].span(1)
        return body[:start] + what + body[end:]

    return put


def _twice(spell: Callable[[bytes], bytes]) -> Damage:
    """One of its members a second time."""

    def put(body: bytes, at: int) -> bytes:
        found = list(re.finditer(rb'"(\w+)"\s*:', body))
        if not found:
            return body * 2
        one = found[at % len(found)]
        again = b'"' + spell(one[1]) + b'": "' + MAIL.encode() + b'", '
        return body[: one.start()] + again + body[one.start() :]

    return put


def _escaped(name: bytes) -> bytes:
    return b"\\u%04x" % name[0] + name[1:]


def _nested(depth: int, opening: bytes, closing: bytes) -> Damage:
    mail = b'"' + MAIL.encode() + b'"'
    return _behind(b"{", b'"x": ' + opening * depth + mail + closing * depth + b", ")


_PLAINLY = MAIL.encode()
_BEHIND_ESCAPES = "".join(f"\\u{ord(c):04x}" for c in MAIL).encode()
DAMAGES: dict[str, Damage] = {
    # not UTF-8
    **{f"bytes {what.hex()}": _put(what) for what in (
        b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf",
        b"\x80", b"\x00", b"\xf4\x90\x80\x80",
    )},
    **{f"bytes {what.hex()} in a string": _behind(b'"', what) for what in (
        b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\x00", b"\x1f", b"\x7f", b"\xc2\x85",
    )},
    "UTF-16": lambda body, _: body.decode("utf-8", "replace").encode("utf-16"),
    "UTF-32": lambda body, _: body.decode("utf-8", "replace").encode("utf-32-le"),
    "UTF-7": lambda body, _: body.decode("utf-8", "replace").encode("utf-7"),
    "a byte order mark": lambda body, _: b"\xef\xbb\xbf" + body,
    # lone surrogates, and other escapes
    **{f"escape {what.decode()}": _behind(b'"', what) for what in (
        b"\\ud800", b"\\udfff", b"\\udc00\\ud800", b"\\ud83d", b"\\ud83d\\u0041", b"\\u00",
        b"\\", b"\\x41", b"\\u0000", b"\\uD800" + _PLAINLY,
    )},
    "an escaped address": _behind(b'"', _BEHIND_ESCAPES),
    # numbers
    **{f"number {what[:12].decode()}": _value(what) for what in (
        b"1e999", b"-1e999", b"1E+400", b"1e-999", b"9" * 5_000, b"-" + b"9" * 5_000,
        b"0." + b"0" * 5_000 + b"1", b"1e" + b"9" * 400, b"NaN", b"Infinity", b"-Infinity", b"-0",
        b"01", b"0x10", b"1.", b".5", b"+1", b"1_000", b"1" + b"0" * 100_000,
    )},
    # other values than a reader hopes for
    **{f"value {what[:12].decode()}": _value(what) for what in (
        b"null", b"[]", b"{}", b"true", b"[[[]]]", b'""', b'{"": ""}', b"'a'", b"undefined",
        b'"' + _PLAINLY + b'"', b'["' + _PLAINLY + b'"]', b'{"' + _PLAINLY + b'": 1}',
        b'{"a/~b": "' + _PLAINLY + b'"}', b'[{"type": "' + _PLAINLY + b'"}]',
    )},
    # names
    "a name twice": _twice(lambda name: name),
    "a name twice, once escaped": _twice(_escaped),
    "a name in upper case": _twice(bytes.upper),
    "an empty name": _behind(b"{", b'"": "' + _PLAINLY + b'", '),
    "__proto__": _behind(b"{", b'"__proto__": {"content": "' + _PLAINLY + b'"}, '),
    "a long name": _behind(b"{", b'"' + b"n" * 20_000 + b'": "' + _PLAINLY + b'", '),
    # nesting
    **{f"{depth} deep": _nested(depth, b"[", b"]") for depth in (30, 63, 64, 65, 500, 50_000)},
    **{f"{depth} objects deep": _nested(depth, b'{"a":', b"}") for depth in (30, 65, 20_000)},
    "brackets alone": lambda body, _: b"[" * 100_000,
    "JSON in JSON in JSON": _value(json.dumps(json.dumps(json.dumps({"a": MAIL}))).encode()),
    # many
    "many empty items": _behind(b"[", b"{}," * 50_000),
    "many texts": _behind(b"[", b'"a",' * 20_000),
    "many names": _behind(b"{", b"".join(b'"k%d":1,' % i for i in range(12_000))),
    # cut, and more than one
    "cut": lambda body, at: body[:at],
    "followed by more": lambda body, _: body + b'{"a": "' + _PLAINLY + b'"}',
    "twice": lambda body, _: body + body,
    "in lines": lambda body, _: body + b"\n" + body,
    "a comment": _behind(b"{", b"/* " + _PLAINLY + b" */"),
    "a comma too many": _behind(b",", b","),
    "nothing": lambda body, _: b"",
    "white space": lambda body, _: b" \n\t" * 100,
    "in a list": lambda body, _: b"[" + body + b"]",
    "a text": lambda body, _: b'"' + _PLAINLY + b'"',
    "not JSON": lambda body, _: _PLAINLY,
}  # fmt: skip
