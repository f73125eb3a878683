"""What the OpenAPI document says is so, of every dialect and of the gateway's own paths."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Refusal
from gateway.core.message import Direction
from gateway.server.openapi import document, page
from gateway.server.paths import SOCKET, Table, method_and_path
from gateway.server.refused import STATUSES, error_schema
from tests.dialects.samples import ALL, answers, requests
from tests.pipeline.fakes import call_of

TABLE = Table(ALL.values())
DOCUMENT = document(TABLE)
JSON = "application/json"


def is_valid(schema: Any, value: Any) -> bool:
    return jsonschema_rs.Draft202012Validator(schema).is_valid(value)


def name_of(dialect: Any) -> str:
    return dialect.wire or dialect.name


def json_requests() -> list[Any]:
    """(dialect, call, schema of its body) of each sample that is a JSON body."""
    found = []
    for name, dialect in ALL.items():
        for path in requests(name):
            call = call_of(path)
            schema = dialect.bodies(Direction.REQUEST).get(JSON)
            if call.body and call.content_type == JSON and schema is not None:
                found.append(pytest.param(dialect, call, schema, id=f"{name}/{path.name}"))
    return found


def test_it_is_an_openapi_document() -> None:
    assert list(OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)) == []
    assert json.loads(page(TABLE)) == DOCUMENT
    names = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len(set(names)) == len(names)


def test_every_reference_leads_somewhere() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key == "$ref":
                    kind, name = item.removeprefix("#/components/").split("/")
                    assert name in DOCUMENT["components"][kind]
                walk(item)

    walk(DOCUMENT)


@pytest.mark.parametrize("name", ALL)
def test_every_path_of_a_dialect_is_told_with_its_errors(name: str) -> None:
    for spelt in ALL[name].paths:
        method, path = method_and_path(spelt)
        told = DOCUMENT["paths"][path.replace("...}", "}")]
        one = told["get" if method == SOCKET else method.lower()]
        assert one["tags"] == [name]
        assert {str(status) for status in STATUSES} <= one["responses"].keys()
        assert ("requestBody" in one) <= (method not in ("GET", "DELETE", SOCKET))


def test_every_alias_is_served_alike() -> None:
    seen = 0
    for path, told in DOCUMENT["paths"].items():
        for method, one in told.items():
            for alias in one.get("x-aliases", ()):
                method = SOCKET if one.get("x-websocket") else method.upper()
                assert TABLE.find(method, alias).dialect.name == one["tags"][0]  # type: ignore[union-attr]
                assert alias != path
                seen += 1
    assert seen > 60


@pytest.mark.parametrize(("dialect", "call", "schema"), json_requests())
def test_requests_are_as_they_are_told(dialect: Any, call: Call, schema: Any) -> None:
    value = json.loads(call.body)
    assert is_valid(schema, value)
    for name in schema.get("required", ()):
        for rest in (None, 7):
            broken = {k: v for k, v in value.items() if k != name}
            broken |= {} if rest is None else {name: rest}
            assert not is_valid(schema, broken)
            with pytest.raises(Unreadable):
                dialect.read(Call(json.dumps(broken).encode(), call.method, call.params))


@pytest.mark.parametrize(("dialect", "call", "schema"), json_requests())
def test_what_is_not_told_to_be_needed_is_not(dialect: Any, call: Call, schema: Any) -> None:
    value = json.loads(call.body)
    for name in value.keys() - set(schema.get("required", ())):
        if name == "model" and name_of(dialect) == "openai_responses":
            # Needed unless something kept is reached for.
            continue
        less = {k: v for k, v in value.items() if k != name}
        dialect.read(Call(json.dumps(less).encode(), call.method, call.params, call.query))


@pytest.mark.parametrize("sample", answers(), ids=str)
def test_answers_are_as_they_are_told(sample: Any) -> None:
    kinds = sample.dialect.bodies(Direction.RESPONSE)
    kind = sample.content_type.partition(";")[0]
    if sample.name.startswith("proxy"):
        # An error of something that stands in front of the upstream.
        return
    assert any(fnmatch(kind, known) for known in kinds)
    if kind == JSON:
        assert is_valid(kinds[JSON], json.loads(sample.answer))


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", ALL)
def test_errors_are_as_they_are_told(name: str, status: int) -> None:
    rule = Refusal("policy_violation", "No.", status, "p", "r", ("EMAIL_ADDRESS",))
    busy = Refusal("not_ready", "No.", status, retry_after_s=5)
    for refusal in (rule, busy, Refusal("model_not_found", "No.", status)):
        body = json.loads(ALL[name].refuse(refusal, "id-1").body)
        assert is_valid(error_schema(ALL[name]), body)
    assert not is_valid(error_schema(ALL[name]), {"error": {}})


def test_what_is_open_needs_no_key_and_everything_else_does() -> None:
    without = [
        path
        for path, told in DOCUMENT["paths"].items()
        if any(one.get("security") == [] for one in told.values())
    ]
    assert sorted(without) == ["/api/hello", "/livez", "/openapi.json", "/readyz"]
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert [list(one) for one in DOCUMENT["security"]] == [[name] for name in schemes]
    assert schemes.keys() == {"bearer", "x-api-key", "api-key", "x-goog-api-key", "key"}
