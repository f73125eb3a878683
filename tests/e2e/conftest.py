"""Running gateways and their upstream. Those that are shared are only read from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.e2e.running import Gateway
from tests.e2e.upstream import Upstream

Run = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="session", autouse=True)
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture(scope="session")
def run_gateway(
    upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Run:
    """Runs a gateway for the length of a `with` block, on a database of its own."""
    template: Path = request.getfixturevalue("_sqlite_template")

    @contextmanager
    def run(*, database_url: str = "", detectors: str = "patterns,pii", **options: object):  # type: ignore[no-untyped-def]
        folder = tmp_path_factory.mktemp("gateway")
        if not database_url:
            database_url = f"sqlite:///{shutil.copy(template, folder / 'gateway.db')}"
        gateway = Gateway(
            folder, upstream, database_url=database_url, detectors=detectors, **options
        )
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.close()

    return run


@pytest.fixture(scope="session")
def gateway(run_gateway: Run) -> Iterator[Gateway]:
    """Shared: the default policy."""
    with run_gateway() as running:
        yield running


@pytest.fixture(scope="session")
def strict(run_gateway: Run) -> Iterator[Gateway]:
    """Shared: the strict policy."""
    with run_gateway(policy="strict") as running:
        yield running
