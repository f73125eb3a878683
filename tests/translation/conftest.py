"""These tests need litellm, which `scripts/test` puts into an environment of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

CATALOGUE = """
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {{name: o, kind: openai, url: "{url}/v1", credential: env:E2E_CREDENTIAL, retries: 0}}
  - name: c
    kind: litellm
    url: "{url}"
    credential: env:E2E_CREDENTIAL
    settings: {{provider: anthropic}}
    retries: 0
models:
  - {{name: "o-*", backend: o}}
  - {{name: "c-*", backend: c}}
"""
HERE = Path(__file__).parent
# litellm's own, told when its types are first used.
LITELLMS_OWN = (
    "ignore:Item .* on TypedDict class:UserWarning",
    "ignore:Accessing the .* attribute on the instance:DeprecationWarning",
    # Its synchronous client leaves its event loop, and that loop's pair of sockets, behind.
    "ignore:unclosed event loop:ResourceWarning",
    "ignore:unclosed <socket.socket fd=\\d+, family=1,:ResourceWarning",
)
collect_ignore_glob = [] if importlib.util.find_spec("litellm") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


if not collect_ignore_glob:
    from tests.conformance.doors import opened
    from tests.conformance.rows import pytest_generate_tests as pytest_generate_tests
    from tests.conformance.vendors import Vendors
    from tests.e2e.running import Gateway

    @pytest.fixture(scope="session")
    def vendors() -> Iterator[Vendors]:
        with Vendors() as running:
            yield running

    @pytest.fixture(scope="session")
    def gateway(vendors: Vendors, request: pytest.FixtureRequest) -> Iterator[Gateway]:
        """A secret blocks, wherever it stands; contact data is pseudonymised and restored."""
        with opened(vendors, request, catalogue=CATALOGUE, blocking=True) as running:
            yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.filterwarnings(*LITELLMS_OWN))
