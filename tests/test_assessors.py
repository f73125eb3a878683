"""Assessors in the gateway as it is put together, against servers that speak their vendors' API."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from gateway import app, configured, dialects, settings
from gateway.core.calls import Call
from gateway.core.errors import ConfigError
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.settings import Settings

PAGE = (Path(__file__).parents[1] / "docs" / "assessors.md").read_text(encoding="utf-8")
EXAMPLE = dict(re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", PAGE, re.DOTALL))
BAD, HEADER = "vile", "Ocp-Apim-Subscription-Key"
Answer = Callable[[str, dict[str, Any]], Any]


def vendor(path: str, asked: dict[str, Any]) -> Any:
    """Answers as each vendor does; what holds BAD is harmful."""
    said = json.dumps(asked, ensure_ascii=False)
    bad = BAD in said
    if path == "/v1/chat/completions":
        return _completion(_words(asked, bad), key="message")
    if path == "/v1/completions":
        return _completion(" Yes" if bad else " No", key="text")
    if path == "/v1/moderations":
        flags = {"hate": bad, "violence": False}
        scores = {"hate": 0.9 if bad else 0.1, "violence": 0.0}
        one = {"flagged": bad, "categories": flags, "category_scores": scores}
        return {"id": "modr-1", "model": asked["model"], "results": [one] * len(asked["input"])}
    if path.startswith("/contentsafety/text:analyze"):
        found = [{"category": c, "severity": 6 if bad else 0} for c in asked["categories"]]
        return {"blocklistsMatch": [], "categoriesAnalysis": found}
    if path == "/analyze":
        at = asked["text"].find(BAD)
        place = {"entity_type": "PERSON", "start": at, "end": at + 4, "score": 0.8}
        return [{**place, "analysis_explanation": None}] if bad else []
    finding = {"category": "PUN", "score": 0.9}
    return {"results": [{"findings": [finding] if BAD in t else []} for t in asked["texts"]]}


def _words(asked: dict[str, Any], bad: bool) -> str:
    if asked["model"] == "guard":
        return "unsafe\nS10" if bad else "safe"
    if asked["model"] == "granite":
        return f"<score> {'yes' if bad else 'no'} </score>"
    return json.dumps({"violation": int(bad), "category": "HATE" if bad else None})


def _completion(words: str, *, key: str) -> Any:
    said = {"role": "assistant", "content": words} if key == "message" else words
    choice = {"index": 0, key: said, "finish_reason": "stop"}
    return {"id": "1", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}


@contextmanager
def serving(answer: Answer = vendor) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """(its URL, the headers of all requests)"""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard.append({k.lower(): v for k, v in self.headers.items()})
            data = json.dumps(answer(self.path, asked)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


CATALOGUE = """
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: echo, kind: echo, hosting: self_hosted}
  - {name: gpu, kind: openai, url: "URL/v1", hosting: HOSTING, credential: env:JUDGE_KEY}
  - {name: azure, kind: service, url: "URL", credential: env:JUDGE_KEY, hosting: HOSTING,
     settings: {header: Ocp-Apim-Subscription-Key}}
  - {name: own, kind: service, url: "URL", credential: env:JUDGE_KEY, hosting: HOSTING}
  - {name: keyless, kind: service, url: "URL", credential: env:NO_SUCH_KEY, optional: true}
models:
  - {name: echo, backend: echo}
  - {name: "*", backend: gpu}
"""
KINDS = {
    "azure_content_safety": "backend: azure",
    "gpt_oss_safeguard": "model: oss",
    "granite_guardian": "model: granite",
    "llama_guard": "model: guard",
    "openai_moderation": "backend: gpu",
    "presidio": "backend: own, options: {entities: [PERSON]}",
    "shield_gemma": "model: shield",
    "webhook": "backend: own, options: {categories: [PUN], path: /judge}",
}
POLICY = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec:
  rules:
    - id: mail
      when: {categories: [EMAIL_ADDRESS]}
      then: pseudonymise
    - id: harm
      when: {categories: ["*"], detectors: [far]}
      then: THEN
"""


def with_assessor(
    folder: Path, url: str, kind: str, *, then: str = "block", hosting: str = "hosted"
) -> Settings:
    (folder / "catalogue.yaml").write_text(
        CATALOGUE.replace("URL", url).replace("HOSTING", hosting)
    )
    (folder / "policy.yaml").write_text(POLICY.replace("THEN", then))
    (folder / "assessors.yaml").write_text(
        "apiVersion: gateway/v1\nkind: Assessors\nassessors:\n"
        f"- {{name: far, kind: {kind}, {KINDS[kind]}}}\n"
    )
    return Settings(
        data=str(folder),
        cache=os.environ["GATEWAY_CACHE"],
        catalogue=str(folder / "catalogue.yaml"),
        policy=str(folder / "policy.yaml"),
        assessors=str(folder / "assessors.yaml"),
        detectors="pii",
        reload_s=0,
    )


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "s3cret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_judges_over_its_vendors_api(kind: str, tmp_path: Path) -> None:
    with serving() as (url, heard):
        found = with_assessor(tmp_path, url, kind)
        assert asyncio.run(configured.try_assessors(found, "Hello.")) == {"far": ""}
    name = HEADER.lower() if kind == "azure_content_safety" else "authorization"
    assert heard[0][name].removeprefix("Bearer ") == "s3cret"


def test_each_failure_is_named(tmp_path: Path) -> None:
    with serving(lambda path, asked: {"nothing": "jane.roe@example.com"}) as (url, _):
        found = with_assessor(tmp_path, url, "llama_guard")
        assert asyncio.run(configured.try_assessors(found, "Hello.")) == {"far": "not_its_schema"}
    assert asyncio.run(configured.try_assessors(found, "Hello.")) == {"far": "unreachable"}


def exchanged(found: Settings, words: str) -> tuple[int, bytes, configured.Gateway]:
    """One request for the echo model, through all of the gateway but its sockets."""
    chat = dialects.load()["openai_chat"]
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": words}]})

    async def main() -> tuple[int, bytes, configured.Gateway]:
        gateway = app.Gateway(found)
        await gateway.start()
        status, out = 0, b""
        who = Principal("k1", "test", "acme")
        exchange = Exchange("id-1", who, chat.name, chat.paths[0], {}, Call(body.encode()))
        async with aclosing(run(exchange, chat, gateway.house())) as pieces:
            async for piece in pieces:
                if isinstance(piece, Head):
                    status = piece.status
                else:
                    out += piece
        await gateway.aclose()
        return status, out, gateway

    return asyncio.run(main())


@pytest.mark.parametrize("hosting", ["hosted", "self_hosted"])
def test_the_gateway_asks_counts_and_records(
    hosting: str, tmp_path: Path, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    got: list[str] = []

    def answer(path: str, asked: dict[str, Any]) -> Any:
        got.append(json.dumps(asked))
        return vendor(path, asked)

    with serving(answer) as (url, _):
        found = with_assessor(tmp_path, url, "webhook", hosting=hosting)
        found = Settings(**{**_fields(found), "database_url": sqlite_url})
        status, out, gateway = exchanged(found, "jane.roe@example.com is vile")
    assert (status, b"'harm'" in out) == (400, True)
    assert ("jane.roe" in got[0]) == (hosting == "self_hosted")
    assert gateway.counters.values['assessor_calls_total{assessor="far"}'] == 1
    database = Path(str(make_url(sqlite_url).database)).read_bytes()
    assert b'"assessor":"far"' in database
    told = f"{caplog.text} {gateway.counters.values} {gateway.notices()} {out!r} {database!r}"
    for secret in ("jane.roe", BAD, "s3cret"):
        assert secret not in told


def _fields(found: Settings) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Settings.__dataclass_fields__}


def test_the_example_on_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, written in EXAMPLE.items():
        path = tmp_path / f"{name}.yaml"
        path.write_text(written)
        monkeypatch.setenv(f"GATEWAY_{name.upper()}", str(path))
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path))
    found = settings.read()
    assert [each.name for each in configured.read_assessors(found)] == ["moderation", "guard"]
    assert configured.bundle(found).revision == "harm@1"
    configured.check_assessors(
        found, configured.read_assessors(found), configured.read_catalogue(found)
    )


def test_what_is_nowhere_is_an_error_at_start(tmp_path: Path) -> None:
    found = with_assessor(tmp_path, "http://127.0.0.1:1", "presidio")
    path = tmp_path / "assessors.yaml"
    path.write_text(path.read_text().replace("backend: own", "backend: nowhere"))
    with pytest.raises(ConfigError, match="asks the backend 'nowhere'"):
        app.Gateway(found)


def test_what_is_off_is_told(tmp_path: Path) -> None:
    found = with_assessor(tmp_path, "http://127.0.0.1:1", "presidio")
    path = tmp_path / "assessors.yaml"
    path.write_text(path.read_text().replace("backend: own", "backend: keyless"))
    assert asyncio.run(configured.try_assessors(found, "Hello.")) == {"far": "off"}
    gateway = app.Gateway(found)
    assert gateway.notices()["assessor far"].startswith("off")


def test_a_policy_that_names_what_is_not_there_does_not_compile(tmp_path: Path) -> None:
    found = with_assessor(tmp_path, "http://127.0.0.1:1", "webhook")
    path = tmp_path / "policy.yaml"
    written = path.read_text()
    path.write_text(
        written.replace("  rules:", "  assessors: {always: [far], deadline_s: 5}\n  rules:")
    )
    assert configured.bundle(found).policies[0].asking.always == {"far"}
    path.write_text(written.replace("  rules:", "  assessors: {always: [fur]}\n  rules:"))
    with pytest.raises(ConfigError, match=r"policy\.yaml:6.*'fur'.*'far'"):
        configured.bundle(found)
    path.write_text(written.replace('["*"]', "[FUN]"))
    with pytest.raises(ConfigError, match="'FUN'"):
        configured.bundle(found)
