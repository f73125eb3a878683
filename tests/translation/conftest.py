"""These tests need litellm, which `scripts/test` puts into an environment of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    from tests.conformance.vendors import Vendors

    @pytest.fixture(scope="session")
    def vendors() -> Iterator[Vendors]:
        with Vendors() as running:
            yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.filterwarnings(*LITELLMS_OWN))
