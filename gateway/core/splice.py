"""Edits on text, and on the strings inside a JSON text, that leave every other character alone."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gateway.core.embedded import BASE64, decoded, encoded
from gateway.core.message import Edit

_NOTHING: Mapping[str, str] = {}
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u.{4}|\\.|.", re.DOTALL
)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. Edits must not overlap; any order will do."""
    out: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if edit.start < done or edit.end > len(text) or edit.end < edit.start:
            raise ValueError("edits overlap or lie outside the text")
        out += (text[done : edit.start], edit.replacement)
        done = edit.end
    out.append(text[done:])
    return "".join(out)


def origin(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Where the characters [start, end) of an edited text stood before the edits were made.

    edits: in order, not overlapping. What was replaced stands for all that it replaced.
    """
    return _origin(edits, start, last=False), _origin(edits, end, last=True)


def _origin(edits: Sequence[Edit], at: int, *, last: bool) -> int:
    """last: whether `at` is an end, which belongs to what stands before it."""
    grown = 0
    for edit in edits:
        first = edit.start + grown
        if at < first or (last and at == first):
            break
        if at < first + len(edit.replacement) or (last and at == first + len(edit.replacement)):
            return edit.end if last else edit.start
        grown += len(edit.replacement) - (edit.end - edit.start)
    return at - grown


def destination(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Where the characters [start, end) of a text stand once the edits are made.

    edits: in order, not overlapping. What was replaced stands in all that replaced it.
    """
    return _destination(edits, start, last=False), _destination(edits, end, last=True)


def _destination(edits: Sequence[Edit], at: int, *, last: bool) -> int:
    """last: whether `at` is an end, which belongs to what stands before it."""
    grown = 0
    for edit in edits:
        if at < edit.start or (last and at == edit.start):
            break
        first = edit.start + grown
        if at < edit.end or (last and at == edit.end):
            return first + len(edit.replacement) if last else first
        grown += len(edit.replacement) - (edit.end - edit.start)
    return at + grown


def quote(text: str) -> str:
    """`text` as it stands between the quotes of a JSON string, non-ASCII left as it is."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def splice_json(
    body: bytes,
    edits: Mapping[str, Sequence[Edit]],
    *,
    nulls: Collection[str] = (),
    put: Mapping[str, str] = _NOTHING,
) -> bytes:
    """A JSON body with edits made inside its strings.

    edits: path (see `Part.path`) -> edits in characters of the decoded string.
    nulls: paths of values that become null; those that are not there are passed over.
    put: the same for values in whose place another stands from now on, as JSON text.
    Every byte outside is returned as it was. Raises KeyError if an edited path is not there,
    or there twice: then which of them was judged is not known.
    """
    if not edits and not nulls and not put:
        return body
    text = body.decode("utf-8")
    put = {**dict.fromkeys(nulls, "null"), **put}
    return apply(text, _edits(values(text), text, edits, put)).encode("utf-8")


def insert_member(body: bytes, name: str, value: str | Mapping[str, bool]) -> bytes:
    """A JSON object with one more member in front; every other byte is returned as it was."""
    at = body.index(b"{") + 1
    member = json.dumps({name: value}, ensure_ascii=False)[1:-1].encode()
    empty = body[at:].lstrip().startswith(b"}")
    return body[:at] + member + (b"" if empty else b",") + body[at:]


def json_edits(text: str, edits: Mapping[str, Sequence[Edit]]) -> list[Edit]:
    """The edits that `splice_json` makes, in characters of the JSON text itself.

    Paths are those of `values` with each name counted, so none stands twice.
    """
    return _edits(values(text, counted=True), text, edits, _NOTHING)


def _edits(
    found: Iterable[tuple[str, int, int]],
    text: str,
    edits: Mapping[str, Sequence[Edit]],
    put: Mapping[str, str],
) -> list[Edit]:
    outer: dict[str, list[Edit]] = {}
    inner: dict[str, dict[str, Sequence[Edit]]] = {}
    for path, changes in edits.items():
        head, nested, rest = path.partition("!")
        if nested:
            inner.setdefault(head, {})[rest] = changes
        else:
            outer.setdefault(head, []).extend(changes)
    wanted = set(outer) | set(inner)
    out: list[Edit] = []
    for path, start, end in found:
        if path in put:
            out.append(Edit(start, end, put[path]))
        elif (path in outer or path in inner) and text[start] == '"':
            if path not in wanted:
                raise KeyError("an edited path stands twice")
            wanted.discard(path)
            changes = list(outer.get(path, ()))
            if path in inner:
                changes += _inner_edits(json.loads(text[start:end]), inner[path])
            out += _raw_edits(text, start, end, changes)
    if wanted:
        raise KeyError(f"no string at {len(wanted)} of the edited paths")
    return out


def _inner_edits(text: str, edits: Mapping[str, Sequence[Edit]]) -> list[Edit]:
    """Edits within what a string holds, JSON or base64, as edits of the string."""
    if BASE64 not in edits:
        return json_edits(text, edits)
    inner = decoded(text)
    if inner is None:
        raise KeyError("an edited text is not base64")
    start, new = encoded(text, apply(inner, edits[BASE64]))
    return [Edit(start, len(text), new)]


def escape(key: str) -> str:
    """A key as one step of a path (see `Part.path`)."""
    if "~" in key or "/" in key or "!" in key:
        return key.replace("~", "~0").replace("/", "~1").replace("!", "~2")
    return key


def step(key: str, nth: int = 0) -> str:
    """A key as one step of a path; nth: how many of this name stand before it in its object."""
    return f"{escape(key)}~3{nth}" if nth else escape(key)


def values(text: str, *, counted: bool = False) -> Iterator[tuple[str, int, int]]:
    """(path, start, end) of each value and key of a valid JSON text.

    Strings include their quotes; lists and objects come after what is in them. A key's path
    is that of its value with "~" behind it. counted: keys that stand twice have paths of their
    own (see `step`).
    """
    named: list[dict[str, int]] = []  # names in each open list or object, if they are counted
    opened: list[tuple[str, int]] = []  # path and start of each open list or object
    counts: list[int] = []  # index in an open list; -1 for an object
    path, expect_key = "", False
    for match in _TOKEN.finditer(text):
        token = match.group()
        first = token[0]
        if first in "{[":
            opened.append((path, match.start()))
            named.append({})
            expect_key = first == "{"
            counts.append(-1 if expect_key else 0)
            if not expect_key:
                path += "/0"
        elif first in "}]":
            counts.pop()
            named.pop()
            path, start = opened.pop()
            expect_key = False
            yield path, start, match.end()
        elif first == ",":
            expect_key = counts[-1] < 0
            if not expect_key:
                counts[-1] += 1
                path = f"{opened[-1][0]}/{counts[-1]}"
        elif first == ":":
            expect_key = False
        elif expect_key:
            name = token[1:-1] if "\\" not in token else json.loads(token)
            nth = named[-1].get(name, 0)
            named[-1][name] = nth + counted
            path = f"{opened[-1][0]}/{step(name, nth)}"
            yield path + "~", match.start(), match.end()
        else:
            yield path, match.start(), match.end()


def _raw_edits(text: str, start: int, end: int, edits: Sequence[Edit]) -> list[Edit]:
    """Edits on the decoded string at [start, end) as edits on the raw text around it."""
    raw = text[start + 1 : end - 1]
    if "\\" not in raw:
        at = start + 1
        return [Edit(at + e.start, at + e.end, quote(e.replacement)) for e in edits]
    offsets = [start + 1 + m.start() for m in _UNIT.finditer(raw)]
    offsets.append(end - 1)
    return [Edit(offsets[e.start], offsets[e.end], quote(e.replacement)) for e in edits]
