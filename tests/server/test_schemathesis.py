"""Every operation of our own OpenAPI document, asked with what its schemas allow and forbid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.server.openapi import document
from tests.dialects.samples import ALL
from tests.fuzzing import LONG, TRIED, few
from tests.server.conftest import Site, serving
from tests.server.everything import MAX_BODY, RULES, TABLE, Upstream, leaks, parts

DOCUMENT = document(TABLE)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# Thousands of cases by rule: for a long run.
SCHEMA.config.phases.coverage.enabled = LONG
# Schemas are outlines: what fits one may still be refused, and what does not is judged.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KEYS = {"authorization", "x-api-key", "api-key", "x-goog-api-key"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    upstream = Upstream()
    more = parts(upstream, tmp_path_factory.mktemp("catalogue"))
    with serving() as start:
        yield start(upstream, RULES, MAX_BODY, list(ALL.values()), **more)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@SCHEMA.parametrize()
@few
def test_each_operation_is_as_it_is_told(case: Any, site: Site) -> None:
    TRIED[__name__] += 1
    site.backend.bodies.clear()
    answer = case.call(base_url=site.url, headers={"authorization": "Bearer gw_good"})
    case.validate_response(answer, checks=CHECKS)
    assert str(answer.status_code) in case.operation.definition.raw["responses"]
    assert not leaks(answer.content)
    assert not any(leaks(body) for body in site.backend.bodies)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_no_operation_answers_without_a_key(path: str, site: Site) -> None:
    for method, told in DOCUMENT["paths"][path].items():
        TRIED[__name__] += 1
        site.backend.bodies.clear()
        answer = requests.request(method, site.url + re.sub(r"{\w+}", "m", path), timeout=20)
        expected = 200 if told.get("security") == [] else 405 if "x-websocket" in told else 401
        assert answer.status_code == expected
        assert site.backend.bodies == []
