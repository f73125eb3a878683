"""OpenAI's client for Node: what it returns or throws, and how many calls were made upstream."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_openai_python import EMAIL, SECRET, chunks, echoed, pieces
from tests.conformance.vendors import Vendors, says
from tests.e2e.running import Gateway

HERE = Path(__file__).parent / "node"
INSTALL_S = ASK_S = 120
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the lock names, and the script."""
    folder = tmp_path_factory.mktemp("node")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=INSTALL_S,
    )
    return folder


def ask(folder: Path, gateway: Gateway, *arguments: str) -> Any:
    own = {"OPENAI_BASE_URL": f"{gateway.url}/v1", "OPENAI_API_KEY": gateway.key}
    done = subprocess.run(
        ["node", "openai.mjs", *arguments],
        cwd=folder,
        env={**os.environ, **own},
        check=True,
        capture_output=True,
        timeout=ASK_S,
    )
    return json.loads(done.stdout)


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_personal_data_stays_here_and_comes_back(
    installed: Path, gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("openai-node", echoed)
    assert ask(installed, gateway, "unary", model, EMAIL.text) == {"text": EMAIL.text}
    (got,) = vendors.of(model)
    assert EMAIL.value.encode() not in got.body


def test_a_blocked_request_throws_and_goes_nowhere(
    installed: Path, gateway: Gateway, vendors: Vendors
) -> None:
    model = vendors.answer("openai-node-blocked", echoed)
    thrown = ask(installed, gateway, "streamed", model, SECRET.text)
    assert thrown == {"thrown": "BadRequestError", "status": 400, "code": "policy_violation"}
    assert vendors.of(model) == []


def test_a_stream_blocked_in_the_middle_ends_as_filtered(
    installed: Path, blocking: Gateway, vendors: Vendors
) -> None:
    text = "Some harmless words come first. " * 20 + SECRET.text
    model = vendors.answer("openai-node-middle", chunks(*[{"content": p} for p in pieces(text)]))
    told = ask(installed, blocking, "streamed", model, "Hi.")
    assert told["finish"] == "content_filter"
    assert SECRET.value not in told["text"]


def test_embeddings_are_numbers(installed: Path, gateway: Gateway, vendors: Vendors) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}]
    model = vendors.answer("openai-node-embedding", says({"object": "list", "data": data}))
    assert ask(installed, gateway, "embedded", model, "one") == {"numbers": [1, 2]}
