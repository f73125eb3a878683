"""The command `llm` with a model of its own file: what it prints, and what was sent upstream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.test_openai_python import EMAIL, SECRET, chunks, echoed, pieces
from tests.conformance.vendors import Vendors
from tests.e2e.running import Gateway

LIMIT_S = 120


def llm(
    folder: Path, gateway: Gateway, model: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    (folder / "extra-openai-models.yaml").write_text(
        f"- model_id: {model}\n  model_name: {model}\n  api_base: {gateway.url}/v1\n"
        "  api_key_name: gateway\n"
    )
    own = {"LLM_USER_PATH": str(folder), "LLM_LOAD_PLUGINS": ""}
    return subprocess.run(
        [sys.executable, "-m", "llm", "-m", model, "--key", gateway.key, "--no-log", *arguments],
        env={**os.environ, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def test_it_prints_what_was_said(tmp_path: Path, gateway: Gateway, vendors: Vendors) -> None:
    model = vendors.answer("openai-llm", echoed)
    done = llm(tmp_path, gateway, model, "--no-stream", EMAIL.text)
    assert (done.returncode, done.stdout.strip()) == (0, EMAIL.text)
    (got,) = vendors.of(model)
    assert EMAIL.value.encode() not in got.body


def test_it_prints_a_stream(tmp_path: Path, gateway: Gateway, vendors: Vendors) -> None:
    text = "A long answer, said in short pieces."
    model = vendors.answer("openai-llm-stream", chunks(*[{"content": p} for p in pieces(text)]))
    assert llm(tmp_path, gateway, model, "Hi.").stdout.strip() == text


@pytest.mark.parametrize("how", [["--no-stream"], []])
def test_a_block_is_an_error(
    tmp_path: Path, gateway: Gateway, vendors: Vendors, how: list[str]
) -> None:
    model = vendors.answer("openai-llm-blocked", echoed)
    done = llm(tmp_path, gateway, model, *how, SECRET.text)
    assert done.returncode == 1
    assert "holds a key, token or password" in done.stderr
    assert vendors.of(model) == []
