from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Unreadable
from gateway.core.message import Edit
from gateway.dialects._multipart import parse

TYPE = "multipart/form-data; boundary=b-1"


def form(*sections: str, end: str = "--b-1--\r\n") -> bytes:
    return "".join(f"--b-1\r\n{s}\r\n" for s in sections).encode() + end.encode()


def value(name: str, text: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'


def file(name: str, filename: str, text: str, media: str = "text/plain") -> str:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"{head}\r\nContent-Type: {media}\r\n\r\n{text}"


def test_fields_are_read_where_they_stand() -> None:
    body = form(value("a", "one"), file("f", "n.txt", "\r\n--b\r\ntwo"), value("l[]", "x"))
    found = parse(body, TYPE)
    assert found.values() == {"a": "one", "l[]": ["x"]}
    assert [p for p, _ in found.paths()] == ["/a", "/f/0", "/l[]/0"]
    section = found.sections[1]
    assert (section.filename and section.filename.text) == "n.txt"
    assert (section.media_type, found.content(section)) == ("text/plain", b"\r\n--b\r\ntwo")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("/a", value("a", "näme"), value("a", "nXme")),
        ("/l[]/1", value("l[]", "axx"), value("l[]", "aXx")),
        ("/f/0", file("f", "n", "bob"), file("f", "n", "bXb")),
        ("/f/0/filename", file("f", "bob", "t"), file("f", "bXb", "t")),
        ("/bob~", value("bob", "t"), value("bXb", "t")),
        ('/a!/k', value("a", '{ "k":"bob" }'), value("a", '{ "k":"bXb" }')),
    ],
)  # fmt: skip
def test_an_edit_changes_nothing_else(path: str, before: str, after: str) -> None:
    others = value("l[]", "äa"), file("z", 'q"'.replace('"', "%22"), "\x01")
    found = parse(form(others[0], before, others[1]), TYPE)
    edited = found.edited({path: [Edit(1, 2, "X")]})
    assert edited == form(others[0], after, others[1])


def test_a_file_name_cannot_end_its_quotes() -> None:
    found = parse(form(file("f", "bob", "t")), TYPE)
    edited = found.edited({"/f/0/filename": [Edit(0, 3, 'a"\r\nX: y')]})
    assert edited == form(file("f", "a%22%0D%0AX: y", "t"))


def test_an_edit_cannot_make_a_boundary() -> None:
    found = parse(form(value("a", "\r\n--b?-1\r\n" + value("z", "x")), value("c", "d")), TYPE)
    with pytest.raises(Unreadable):
        found.edited({"/a": [Edit(5, 6, "")]})


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        parse(form(value("a", "x")), TYPE).edited({"/b": [Edit(0, 1, "")]})


ONE = value("a", "x")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b-1",
        b"--b-1\r\n--b-1--",
        form(ONE, end=""),
        form(ONE, end="--b-1--\r\nmore"),
        form(ONE, end="--b-1--\r\n\r\n"),
        b"before\r\n" + form(ONE),
        b"\r\n" + form(ONE),
        form(ONE).replace(b"\r\n", b"\n"),
        form(ONE).replace(b"--b-1\r\n", b"--b-1 \r\n"),
        form("a", "b"),
        form("Content-Disposition: form-data\r\n\r\nx"),
        form("Content-Disposition: form-data; name=a\r\n\r\nx"),
        form('Content-Disposition: attachment; name="a"\r\n\r\nx'),
        form('Content-Disposition: form-data; name="a\\"b"\r\n\r\nx'),
        form("Content-Disposition: form-data; name=\"a\"; filename*=utf-8''b\r\n\r\nx"),
        form('Content-Disposition: form-data; name="a"; name="b"\r\n\r\nx'),
        form('X-Note: alice\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
        form('Content-Disposition: form-data; name="a"\r\n folded: x\r\n\r\nx'),
        form(f"Content-Disposition: form-data\r\n{ONE}"),
        form(f"Content-Transfer-Encoding: base64\r\n{ONE}"),
        form(file("f", "n", "x", media="to alice/plain")),
        form('Content-Disposition: form-data; name="\xff"\r\n\r\nx').replace("ÿ".encode(), b"\xff"),
        form(*[ONE] * 1_001),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(body, TYPE)


@pytest.mark.parametrize("text", ["\x00", "\udcff"])
def test_a_value_is_text(text: str) -> None:
    body = form(ONE).replace(b"\r\n\r\nx", b"\r\n\r\n" + text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Unreadable):
        parse(body, TYPE).values()


def test_a_value_given_twice_is_refused() -> None:
    with pytest.raises(Unreadable):
        parse(form(ONE, ONE), TYPE).values()


@pytest.mark.parametrize(
    "media",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a b",
        'multipart/form-data; boundary="a',
        "multipart/form-data; boundary=b-1; charset=x",
        "multipart/mixed; boundary=b-1",
        "multipart/form-data; boundary=" + "a" * 71,
    ],
)
def test_the_boundary_must_be_plain(media: str) -> None:
    with pytest.raises(Unreadable):
        parse(form(ONE), media)


@pytest.mark.parametrize("text", ["bob@example.org", ""])
def test_a_file_without_a_name_is_a_value(text: str) -> None:
    found = parse(form(file("a", "", text, "application/octet-stream")), TYPE)
    assert found.values() == {"a": text}
    assert [path for path, _ in found.paths()] == ["/a"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), max_size=5))
def test_values_come_back_as_they_were(texts: list[str]) -> None:
    body = form(*[value("l[]", text) for text in texts])
    if texts:
        assert parse(body, TYPE).values() == {"l[]": texts}
