"""What a declaration says of the texts below it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, Found, read

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
