"""OpenAI's client for Node: what it returns or throws, and how many calls were made upstream."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.chat import user
from tests.conformance.rows import ROWS, Heard, Row, heard_in
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway

HERE = Path(__file__).parent / "node"
CLIENT = "openai-node"
INSTALL_S = ASK_S = 120
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def told(installed: Path, gateway: Gateway, blocking: Gateway, vendors: Vendors) -> dict[str, Any]:
    """What came of each row, all asked by one process."""
    asked = []
    for row in ROWS.values():
        door = blocking if row.blocking else gateway
        model = vendors.answer(row.model(CLIENT), row.answer)
        body = {"model": model, "messages": user(row.content), **row.asked}
        asked.append({"url": f"{door.url}/v1", "key": door.key, "way": row.way, "asked": body})
    done = subprocess.run(
        ["node", "openai.mjs"],
        cwd=installed,
        env=os.environ,
        input=json.dumps(asked).encode(),
        check=True,
        capture_output=True,
        timeout=ASK_S,
    )
    return dict(zip(ROWS, json.loads(done.stdout), strict=True))


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


@needs_node
@pytest.mark.covers(
    "openai (Node)",
    "unary",
    "streamed",
    "tools",
    "parallel tools",
    "structured output",
    "n=2",
    "vision",
    "embeddings",
    "errors",
    "blocked request",
    "block before the first byte",
    "block in mid-stream",
)
def test_the_client_gets_what_the_row_says(
    row: Row, told: dict[str, Any], gateway: Gateway, blocking: Gateway, vendors: Vendors
) -> None:
    got = told[row.feature]
    heard = Heard(raised=(got["thrown"], got["status"])) if "thrown" in got else heard_in(got)
    row.holds(heard, blocking if row.blocking else gateway, vendors, row.model(CLIENT))
