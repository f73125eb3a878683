"""`gateway serve --quickstart` from an empty folder to an answer, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import httpx
import ollama
import openai
import pytest
from google import genai

from gateway import backends
from tests.cli.house import Gateway, lines, value

ROOT = Path(__file__).parents[2]
MAIL = "jane.roe@example.com"
START_S = 90


@dataclass
class Running:
    process: subprocess.Popen[str]
    out: Path
    err: Path
    port: int
    admin_port: int

    @property
    def said(self) -> str:
        return self.out.read_text()


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    create = partial(socket.create_server, ("127.0.0.1", 0))
    with create() as one, create() as two:
        found = one.getsockname()[1], two.getsockname()[1]
    monkeypatch.setenv("GATEWAY_PORT", str(found[0]))
    monkeypatch.setenv("GATEWAY_ADMIN_PORT", str(found[1]))
    return found


@contextmanager
def running(tmp_path: Path, ports: tuple[int, int], *arguments: str) -> Iterator[Running]:
    """A gateway, from when it has said that it is ready until it has ended."""
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    with out.open("w") as stdout, err.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", *arguments],
            stdout=stdout,
            stderr=stderr,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        )
    try:
        end = time.monotonic() + START_S
        while not out.stat().st_size and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        assert out.stat().st_size, err.read_text()
        yield Running(process, out, err, *ports)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ask(started: Running, key: str, text: str, model: str = "echo") -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{started.port}/v1/chat/completions",
        headers={"authorization": f"Bearer {key}"},
        json={"model": model, "messages": [{"role": "user", "content": text}]},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def answers(url: str, key: str) -> list[str | None]:
    """What the README's clients are told, each made by its line there."""
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    head, *lines = [line for line in code.splitlines() if line]
    assert head.startswith("GATEWAY, KEY = ")
    names = {"GATEWAY": url, "KEY": key, "openai": openai, "anthropic": anthropic,
             "genai": genai, "ollama": ollama}  # fmt: skip
    plain, azure, claude, gemini, local = (eval(line, names) for line in lines)
    said: Any = [{"role": "user", "content": f"mail {MAIL}"}]
    with plain, azure, claude, gemini, local:
        return [
            plain.responses.create(model="echo", input=f"mail {MAIL}").output_text,
            azure.chat.completions.create(model="echo", messages=said).choices[0].message.content,
            claude.messages.create(model="echo", max_tokens=9, messages=said).content[0].text,
            gemini.models.generate_content(model="echo", contents=f"mail {MAIL}").text,
            local.chat(model="echo", messages=said).message.content,
        ]


def test_quickstart_end_to_end(
    gateway: Gateway,
    data: Path,
    tmp_path: Path,
    ports: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY_DETECTORS", "patterns,pii")
    with running(tmp_path, ports, "--quickstart") as first:
        key = (data / "first-key").read_text().strip()
        said = first.said
        for word in (key, "OPENAI_API_KEY", "echo-restored", str(ports[1]), "gateway keys revoke"):
            assert word in said
        for line in (
            f'base_url="http://127.0.0.1:{ports[0]}/v1"',
            f'api_key="{key}"',
            'model="echo"',
        ):
            assert f"\n{line}\n" in said
        pasted = re.search(r"^curl .*?'$\n\n", said, re.MULTILINE | re.DOTALL)
        assert pasted is not None
        if Path("/usr/bin/curl").exists():
            done = subprocess.run(
                ["bash", "-c", pasted[0]], capture_output=True, text=True, check=True
            )
            assert json.loads(done.stdout)["model"] == "echo"
            assert MAIL not in done.stdout
        seen = ask(first, key, f"mail {MAIL}")
        assert MAIL not in seen
        assert answers(f"http://127.0.0.1:{ports[0]}", key) == [seen] * 5
        assert ask(first, key, f"mail {MAIL}", "echo-restored") == f"mail {MAIL}"
        # The command line works beside the running gateway.
        closed = lines(gateway("audit", "query", "--kind", "exchange.closed", "--json"))
        assert {entry["outcome"] for entry in closed} == {"completed"}
        assert value(gateway("audit", "verify", "--json"))["ok"] is True
        checks = value(gateway("doctor", "--json"))["checks"]
        assert next(c["text"] for c in checks if "port" in c["name"]).endswith("it is ready.")
        admin = httpx.get(
            f"http://127.0.0.1:{ports[1]}/admin/v1/exchanges",
            headers={"authorization": f"Bearer {key}"},
        )
        assert len(admin.json()["entries"]) == len(closed)
    assert data.stat().st_mode & 0o777 == 0o700
    for name in ("first-key", "keyring.json"):
        assert (data / name).stat().st_mode & 0o777 == 0o600
    for text in (first.err.read_text(), json.dumps(closed)):
        assert key.split("_", 2)[2] not in text
        assert MAIL not in text


def test_second_start_shows_the_same_key_until_it_is_revoked(
    gateway: Gateway, data: Path, tmp_path: Path, ports: tuple[int, int]
) -> None:
    with running(tmp_path, ports, "--quickstart", "--json") as first:
        ready = json.loads(first.said)
    assert ready["event"] == "ready"
    assert ready["url"] == f"http://127.0.0.1:{ports[0]}/v1"
    assert {"name": "echo", "missing": ""} in ready["models"]
    with running(tmp_path, ports, "--quickstart") as second:
        assert ready["key"] in second.said
    gateway("keys", "revoke", ready["key"])
    with running(tmp_path, ports, "--quickstart") as third:
        assert ready["key"] not in third.said
        assert "gateway keys new NAME" in third.said
    assert len(lines(gateway("keys", "list", "--json"))) == 1


def test_without_quickstart_no_key_is_shown(
    gateway: Gateway, ready: Path, tmp_path: Path, ports: tuple[int, int]
) -> None:
    made = value(gateway("keys", "new", "bot", "--json"))
    (ready / "first-key").write_text(made["key"])
    with running(tmp_path, ports) as plain:
        assert "is running" in plain.said
        assert "gw_" not in plain.said
        assert "\x1b" not in plain.said


def test_workers_share_the_port(ready: Path, tmp_path: Path, ports: tuple[int, int]) -> None:
    with running(tmp_path, ports, "--workers", "2", "--json") as both:
        assert json.loads(both.said)["event"] == "ready"
        answer = httpx.get(f"http://127.0.0.1:{ports[0]}/readyz")
        assert answer.json()["status"] == "ok"
        assert list(answer.json()["warnings"]) == [
            "backend openai",
            "backend anthropic",
            "backend gemini",
        ]


@pytest.mark.skipif(backends.translates(), reason="litellm is installed here")
def test_a_catalogue_that_needs_litellm_does_not_start_without_it(
    gateway: Gateway, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        "apiVersion: gateway/v1\nkind: Catalogue\nbackends:\n"
        "  - {name: b, kind: litellm, settings: {provider: bedrock}}\n"
        "models:\n  - {name: nova, backend: b}\n"
    )
    monkeypatch.setenv("GATEWAY_CATALOGUE", str(path))
    text = gateway("serve", code=2).stderr
    assert text.startswith(f"error: {path}: nova")
    assert "pip install 'responsible-use-gateway[translate]'" in text
    check = next(c for c in value(gateway("doctor", "--json", code=1))["checks"]
                 if c["name"] == "translation")  # fmt: skip
    assert (check["state"], "nova" in check["text"]) == ("fail", True)
    assert check["mend"] == backends.INSTALL


def test_start_that_cannot_be_is_one_line(
    gateway: Gateway, ready: Path, ports: tuple[int, int]
) -> None:
    with socket.create_server(("127.0.0.1", ports[0])):
        text = gateway("serve", code=2).stderr
    assert text.startswith("error: Cannot listen on 127.0.0.1:")
    (ready / "gateway.db").unlink()
    assert "gateway db upgrade" in gateway("serve", code=2).stderr
