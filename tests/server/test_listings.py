"""Which models there are, as each vendor's clients want to be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.server import listings
from gateway.server.listings import LISTINGS, Asked

MODELS = [{"id": "one:3b", "owned_by": "p"}, {"id": "Two", "owned_by": "p"}]


def told(path: str, body: bytes = b"", **headers: str) -> Any:
    found = listings.find(path)
    assert found is not None
    listing, name = found
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return listing.answer(Asked(MODELS, name, named, body))


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


def test_who_shows_a_key_as_google_wants_it_is_answered_as_by_google() -> None:
    listed = told("/v1/models", x_goog_api_key="gw_good")
    assert [model["name"] for model in listed["models"]] == ["models/one:3b", "models/Two"]
    assert told("/v1/models/two", x_goog_api_key="gw_good")["name"] == "models/Two"


def test_who_asks_for_a_version_is_answered_as_by_anthropic() -> None:
    model = {"type": "model", "display_name": "Two", "id": "Two"}
    listed = told("/v1/models", anthropic_version="2023-06-01")
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("one:3b", "Two", False)
    assert listed["data"][1].items() >= model.items()
    assert told("/v1/models/two", anthropic_version="2023-06-01") == listed["data"][1]
    assert told("/v1/models/three", anthropic_version="2023-06-01") is None
