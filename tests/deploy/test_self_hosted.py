"""Self-hosted models: the page's catalogue reads, and what tries real servers tells the truth."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import backends, catalogue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "self-hosted.md").read_text()
SERVERS = ROOT / "scripts" / "_servers.sh"
SCRIPTS = [ROOT / "scripts" / name for name in ("try-transformers", "try-backends")]
SENT = "Please write to EMAIL_AAAAAA about the card [CREDIT_CARD], it expires soon."


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A model behind the gateway whose server nobody has to start, and its checks."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    from _behind import Behind
    from _checks import Checks
    from _recorder import Recorder

    with Recorder(1) as recorder:
        yield Behind("m", "p", recorder, json_mode=True), Checks()


def request(*texts: str) -> bytes:
    body = json.dumps({"messages": [{"role": "user", "content": text} for text in texts]}).encode()
    return b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_catalogue_of_the_page_reads(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "catalogue.yaml"
    path.write_text(found[1])
    read = catalogue.read(path, backends.kinds(), {"VLLM_API_KEY": "x"})
    routes = [model.route(model.name) for model in read.models]
    assert {route.hosting for route in routes} == {"self_hosted"}
    assert {route.backend for route in routes} == read.upstreams.keys()


def test_pins_of_the_page_are_those_of_the_scripts() -> None:
    pins = re.findall(r'"([^"\s]+==[^"\s]+)"', SERVERS.read_text())
    assert len(pins) == 4
    assert all(f"`{pin}`" in PAGE for pin in pins)


@pytest.mark.parametrize("script", [*SCRIPTS, SERVERS], ids=lambda path: path.name)
def test_scripts_parse_and_are_executable(script: Path) -> None:
    assert script == SERVERS or os.access(script, os.X_OK)
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("-h", 0), ("vllm", 2)])
def test_try_backends_tells_its_usage_and_installs_nothing(argument: str, code: int) -> None:
    done = subprocess.run(
        [SCRIPTS[1], argument], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code
    told, other = (done.stdout, done.stderr) if code == 0 else (done.stderr, done.stdout)
    assert "scripts/try-backends llama-cpp" in told
    assert "pipefail" not in told
    assert other == ""


@pytest.mark.parametrize("server", ["transformers", "llama_cpp"])
def test_pins_are_installed_once(tmp_path: Path, server: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    script = "source scripts/_setup.sh; source scripts/_servers.sh; run_quietly() { echo $*; };"
    environ = {**os.environ, f"{server.upper()}_VENV": str(tmp_path)}

    def set_up() -> str:
        command = ["bash", "-euc", f"{script} set_up_{server}"]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True)
        return done.stdout.decode()

    told = set_up()
    assert told.startswith("Installing ")
    assert told.count("==") == 4
    assert set_up() == ""


@pytest.mark.parametrize("held", ["24 of 24 checks hold.", "112 of 112 checks hold"])
def test_recorded_runs_held(held: str) -> None:
    assert held in PAGE
    assert "FAILED" not in PAGE


def test_one_check_that_fails_fails_the_run(behind: tuple[Any, Any]) -> None:
    checks = behind[1]
    checks.hold("a", holds=True)
    checks.absent("b: there is none")
    assert checks.report() == 0
    checks.hold("c", holds=False)
    assert checks.report() == 1


@pytest.mark.parametrize(
    ("sent", "holds"),
    [
        (request(SENT), True),
        (b"", False),
        (request(SENT) * 2, False),
        (request(SENT.replace("EMAIL_AAAAAA", "jane.roe@example.com")), False),
        (request(f"jane.roe@{'x' * 9}", SENT), False),
        (request(SENT.replace("[CREDIT_CARD]", "4111-1111-1111-1111")), False),
        (b"Authorization: Bearer the-key\r\n" + request(SENT), False),
    ],
)
def test_what_the_server_was_sent_is_told(
    behind: tuple[Any, Any], sent: bytes, holds: bool
) -> None:
    model, checks = behind
    model.recorder.sent += sent
    model.check_sent("call", "the-key", checks)
    assert all(held for _, held in checks.found) is holds
    assert model.recorder.sent == b""


def test_a_byte_of_a_refused_call_is_told(behind: tuple[Any, Any]) -> None:
    model, checks = behind
    model.check_nothing_sent("call", 400, "no", checks)
    assert all(held for _, held in checks.found)
    model.recorder.sent += b"P"
    model.check_nothing_sent("call", 400, "no", checks)
    assert not all(held for _, held in checks.found)


def test_call_that_is_not_on_record_is_told(behind: tuple[Any, Any]) -> None:
    from _log import Call, check_log

    own = {"exchange_id": "", "kind": "gateway.started", "provider": "", "outcome": "", "data": {}}
    report = {"ok": True, "unclosed_count": 0, "entries": 1, "exchanges": 0}
    answers = {"query": json.dumps(own), "verify": json.dumps(report)}
    running = SimpleNamespace(run=lambda *arguments: answers[arguments[1]])
    check_log(running, [Call("call", "", "p")], behind[1])
    assert [held for _, held in behind[1].found] == [False] * 3 + [True] * 3


def test_catalogue_of_a_try_reads(behind: tuple[Any, Any], tmp_path: Path) -> None:
    import _try_backends

    path = tmp_path / "catalogue.yaml"
    path.write_text(_try_backends.catalogue([behind[0]]))
    (model,) = catalogue.read(path, backends.kinds(), {}).models
    assert (model.name, model.route("m").hosting) == ("m", "self_hosted")
