"""What a declaration says of the texts below it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, Found, cipher, read

IMAGE = Field(fields={"type": TEXT, "data": Field(media="image/*")}, media_member="type")


def found(value: Any, spec: Field) -> Found:
    out = Found()
    read(value, spec, out)
    return out


@pytest.mark.parametrize(
    ("value", "role"),
    [
        ({"text": "x"}, "user"),
        ({"who": "system", "text": "x"}, "system"),
        ({"who": "model", "text": "x"}, "assistant"),
        ({"who": 3, "text": "x"}, "user"),
    ],
)
def test_whose_text_it_is_says_a_member_or_else_the_declaration(value: Any, role: str) -> None:
    members = {"who": Field(plain="-"), "text": TEXT}
    spec = Field(kind=Kind.TEXT, role="user", role_member="who", fields=members)
    assert [part.role for part in found(value, spec).parts] == [role]


@pytest.mark.parametrize(
    ("named", "media"),
    [("image/png", "image/png"), ("audio/wav", "audio/wav"), ("bank secrets", "octet-stream")],
)
def test_the_type_of_media_says_the_member_beside_it(named: str, media: str) -> None:
    (opaque,) = found({"data": "AAAA", "type": named}, IMAGE).opaque
    assert opaque.media_type.endswith(media)


def test_media_of_no_named_type_are_what_they_are_declared() -> None:
    assert [o.media_type for o in found({"data": "AAAA"}, IMAGE).opaque] == ["image/*"]


SOURCE = Field(fields={"type": TEXT}, cases={"sound": Field(fields={"data": Field(media="a/*")})})


@pytest.mark.parametrize(
    ("value", "opaque"),
    [
        ({"type": "sound", "data": "AAAA"}, 1),
        ({"type": "text", "data": "AAAA"}, 0),
        ({"type": ["sound"], "data": "AAAA"}, 0),
        ({"data": "AAAA"}, 0),
    ],
)
def test_what_an_object_is_for_can_depend_on_its_type(value: Any, opaque: int) -> None:
    assert len(found(value, SOURCE).opaque) == opaque
    assert any(p.text == "AAAA" for p in found(value, SOURCE).parts) == (not opaque)


@pytest.mark.parametrize(
    ("value", "judged"),
    [
        ("EqQBCkYIARgCIkDq3l+8/0Ju==", False),
        ("gAAAA_-x", False),
        ("", False),
        ("4111111111111111", True),
        ("AB4111111111111111==", True),
        ("anna.lind@example.org", True),
        ("Anna Lind", True),
        ("+49 151 1234567", True),
    ],
)
def test_ciphertext_passes_only_if_it_looks_like_it(value: str, judged: bool) -> None:
    assert bool(found({"s": value}, Field(fields={"s": cipher("-")})).parts) == judged


URL = "data:text/csv;base64,amFuQGZpcm1hLmRl"  # jan@firma.de
TYPED = Field(
    kind=Kind.TEXT,
    fields={"type": TEXT, "data": Field(media="application/octet-stream")},
    media_member="type",
)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"data": URL}, "/data!base64"),
        ({"url": URL}, "/url!base64"),
        ({"new": {"file": [URL]}}, "/new/file/0!base64"),
        ({"content": URL}, "/content!base64"),
        ({"type": "text/plain", "data": URL.partition(",")[2]}, "/data!base64"),
    ],
)
def test_text_in_a_data_url_is_a_part(value: Any, path: str) -> None:
    out = found(value, TYPED)
    (part,) = [p for p in out.parts if "jan" in p.text]
    assert (part.path, part.text, out.opaque) == (path, "jan@firma.de", [])


@pytest.mark.parametrize(
    ("url", "opaque"),
    [
        (URL.replace("text/csv", "image/svg+xml"), ["image/svg+xml"]),
        ("data:text/plain;base64,/////w==", ["text/plain"]),
        ("data:text/plain;base64,", ["text/plain"]),
        ("data:text/plain;base64,jan@firma.de", []),
        ("data:text/plain,jan%40firma.de", []),
    ],
)
def test_other_data_urls_are_opaque_or_judged_as_they_stand(url: str, opaque: list[str]) -> None:
    out = found({"url": url}, TEXT)
    assert [o.media_type for o in out.opaque] == opaque
    assert [p.text for p in out.parts if not p.path.endswith("~")] == ([] if opaque else [url])
