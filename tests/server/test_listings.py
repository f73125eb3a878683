"""Which models there are, as each vendor's clients want to be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.server import listings
from gateway.server.listings import LISTINGS, Asked

MODELS = [{"id": "one:3b", "owned_by": "p"}, {"id": "Two", "owned_by": "p"}]


def told(path: str, body: bytes = b"") -> Any:
    found = listings.find(path)
    assert found is not None
    listing, name = found
    return listing.answer(Asked(MODELS, name, {}, body))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/models", lambda v: [m["id"] for m in v["data"]]),
        ("/v1beta/models", lambda v: [m["name"].removeprefix("models/") for m in v["models"]]),
        ("/api/tags", lambda v: [m["model"] for m in v["models"]]),
    ],
)
def test_every_vendor_lists_the_same_models(path: str, names: Any) -> None:
    assert names(told(path)) == ["one:3b", "Two"]


def test_one_model_is_found_however_its_name_is_spelt() -> None:
    assert told("/V1/Models/ONE:3b")["id"] == "one:3b"
    assert told("/v1beta/models/two")["name"] == "models/Two"
    assert "details" in told("/api/show", b'{"model": "TWO"}')


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"model": 1}', b'{"model": "three"}', b"[" * 9]
)
def test_what_names_no_model_shows_none(body: bytes) -> None:
    assert told("/api/show", body) is None
    assert told("/v1/models/three") is None
    assert told("/v1beta/models/three") is None


def test_only_what_is_listed_is_answered() -> None:
    assert listings.find("/api/tags/x") is None
    assert listings.find("/v1/modelsx") is None
    assert all(json.dumps(told(path, b'{"name": "Two"}')) for path in LISTINGS)
