"""One gateway for all vendors' clients, with a backend of each kind at one pretended vendor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.doors import opened
from tests.conformance.rows import pytest_generate_tests as pytest_generate_tests
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway

# Any model a test names goes to the kind of backend that its name begins with.
CATALOGUE = """
apiVersion: gateway/v1
kind: Catalogue
backends:
  - name: openai
    kind: openai
    url: "{url}/v1"
    credential: env:E2E_CREDENTIAL
    provider: o
    files: true
  - {{name: ollama, kind: ollama, url: "{url}", credential: env:E2E_CREDENTIAL, provider: l}}
  - {{name: anthropic, kind: anthropic, url: "{url}", credential: env:E2E_CREDENTIAL, provider: a}}
  - {{name: gemini, kind: gemini, url: "{url}", credential: env:E2E_CREDENTIAL, provider: g}}
  - name: azure
    kind: azure
    url: "{url}"
    credential: env:E2E_CREDENTIAL
    provider: z
    settings: {{api_version: "2025-01-01"}}
models:
  - {{name: files-renamed, backend: openai, upstream_model: openai-files-as-called-there}}
  - {{name: gemini-renamed, backend: gemini, upstream_model: gemini-as-it-is-called-there}}
  - {{name: "gemini-*", backend: gemini}}
  - {{name: "azure-*", backend: azure}}
  - {{name: ollama-listed, backend: ollama}}
  - {{name: "ollama-*", backend: ollama}}
  - {{name: "openai-*", backend: openai}}
  - {{name: "text-embedding-*", backend: openai}}
  - {{name: "anthropic-*", backend: anthropic}}
"""


@pytest.fixture(scope="session", autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendors]:
    with Vendors() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(vendors: Vendors, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """The default policy; a secret blocks, contact data is pseudonymised and restored."""
    with opened(vendors, request, catalogue=CATALOGUE) as running:
        yield running


@pytest.fixture(scope="session")
def blocking(vendors: Vendors, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """The same, but a secret blocks an answer too, wherever in it it stands."""
    with opened(vendors, request, catalogue=CATALOGUE, blocking=True) as running:
        yield running
