"""Logs, database files, metrics and error bodies hold no canary, key or credential.

Every gateway of these tests is looked through when it stops; here one is given everything
that has leaked elsewhere, and is looked through while it runs.
"""

from __future__ import annotations

import json

import httpx

from tests.e2e.canaries import CANARIES, seen, seen_in_files
from tests.e2e.running import Gateway


def test_nothing_leaks_by_a_side_door(gateway: Gateway) -> None:
    other_key = gateway.key[:-4] + "AAAA"
    errors = [error for canary in CANARIES for error in _provoke(gateway, canary.value)]
    errors.append(gateway.post_raw(b"{}", authorization=f"Bearer {other_key}"))
    for canary in CANARIES:
        for model in ("up-echo-doors", "up-tools-doors", "up-several-doors", "up-tell-doors"):
            gateway.post(model, canary.text, n=1)
        with gateway.streaming("up-cut-doors", canary.text) as stream:
            stream.read()
    admin = {"authorization": f"Bearer {gateway.key}"}
    pages = [
        gateway.ask("GET", gateway.admin_url + path, headers=admin)
        for path in ("/metrics", "/admin/v1/status", "/admin/v1/exchanges", "/", "/nowhere")
    ]
    for response in (*errors, *pages):
        told = str(response.headers).encode() + response.content
        assert not seen(told, [gateway.key, other_key])
    assert "gateway_audit_rows_total" in pages[0].text
    assert len(pages[2].json()["entries"]) > 50
    assert not seen_in_files(gateway.folder, [gateway.key, other_key])
    assert gateway.verify()[0] == 0
    files = {path.name for path in gateway.folder.rglob("*")}
    assert {"gateway.db", "gateway.db-wal", "stdout.log", "stderr.log"} <= files


def _provoke(gateway: Gateway, value: str) -> list[httpx.Response]:
    """Answers of the gateway's own, to requests that hold the value in odd places."""
    said = [{"role": "user", "content": value}]
    chat, admin = "/v1/chat/completions", f"{gateway.admin_url}/admin/v1/exchanges"
    known = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    return [
        gateway.post_raw(b'{"messages": [{"content": "' + value.encode()),
        gateway.post_raw(json.dumps([value]).encode()),
        gateway.post_raw(json.dumps({"model": value, "messages": said}).encode()),
        gateway.post_raw(json.dumps({"model": ["up"], "messages": value}).encode()),
        gateway.post_raw(json.dumps({value: 1, "messages": []}).encode()),
        gateway.post_raw(b'{"a": 1, "a": "' + value.encode() + b'"}'),
        gateway.post_raw(value.encode(), **{"content-type": f"text/{value}"}),
        gateway.post_raw(value.encode(), **{"content-encoding": value}),
        gateway.post("nobody-doors", value),
        gateway.post(value, value),
        gateway.ask("POST", chat, headers={"authorization": f"Bearer {value}"}, content=value),
        gateway.ask("POST", chat, headers={"authorization": value}, content=value),
        gateway.ask("POST", f"{chat}/{value}", headers=known, content=value),
        gateway.ask("POST", f"{chat}?a={value}", headers={**known, "x": value}, content=value),
        gateway.ask("GET", f"/v1/models/{value}", headers=known),
        gateway.ask("PURGE", f"/{value}"),
        gateway.ask("GET", f"{admin}/{value}", headers=known),
    ]


def test_upstream_words_about_a_caller_come_back_judged(gateway: Gateway) -> None:
    """An error that quotes the request is the caller's own text: restored, but no credential."""
    answer = gateway.post("up-status-400-words", CANARIES[0].text)
    assert CANARIES[0].value in answer.text
    assert seen(answer.content) == {CANARIES[0].value}
