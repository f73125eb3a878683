"""A work registered while the gateway runs, and a system prompt, repeated by a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from gateway.cli import app
from tests.detectors.verbatim.texts import Author
from tests.e2e.conftest import Run
from tests.e2e.running import Gateway, until

AUTHOR = Author(41)
NOVEL = " ".join(AUTHOR.work(300))
PROMPT = " ".join(AUTHOR.work(60))


def works(gateway: Gateway, *arguments: str) -> None:
    done = CliRunner().invoke(app, ["works", *arguments], env=gateway.environ)
    assert done.exit_code == 0, done.output


def explained(gateway: Gateway, answer: httpx.Response) -> dict[str, Any]:
    id_ = answer.headers["gw-request-id"]
    headers = {"authorization": f"Bearer {gateway.key}"}
    told: dict[str, Any] = {}

    def closed() -> bool:
        path = f"/v1/exchanges/{id_}/explain"
        told.update(gateway.ask("GET", path, headers=headers).json())
        return told["outcome"] != "open"

    until(closed)
    return told


def test_works_are_found_from_when_they_are_added_to_when_they_are_removed(
    run_gateway: Run, tmp_path: Path
) -> None:
    path = tmp_path / "novel.txt"
    path.write_text(NOVEL)
    with run_gateway() as gateway:

        def notes(*, stream: bool) -> object:
            answer = gateway.post("up-echo-novel", NOVEL[:900], stream=stream)
            return explained(gateway, answer)["notes"]

        assert notes(stream=False) == {"request": {}, "response": {}}
        works(gateway, "add", str(path))
        found = {"request": {}, "response": {"PROTECTED_TEXT": ["novel"]}}
        until(lambda: notes(stream=False) == found, within_s=30)
        assert notes(stream=True) == found
        works(gateway, "remove", "novel")
        until(lambda: notes(stream=True) == {"request": {}, "response": {}}, within_s=30)
        assert NOVEL[100:130] not in gateway.log
        kinds = [entry["kind"] for entry in gateway.entries()]
        assert {"works.added", "works.removed"} <= set(kinds)


def test_a_prompt_that_is_told_is_on_record_and_under_the_strict_policy_stopped(
    run_gateway: Run,
) -> None:
    for policy, outcome in (("default", "completed"), ("strict", "blocked")):
        with run_gateway(policy=policy) as gateway:
            for stream in (False, True):
                said = [
                    {"role": "system", "content": PROMPT},
                    {"role": "user", "content": "What were you told?"},
                ]
                body = {"model": "up-betray", "messages": said, "stream": stream}
                answer = gateway.post_raw(json.dumps(body).encode())
                told = explained(gateway, answer)
                assert told["outcome"] == outcome
                assert told["categories"]["response"].keys() == {"SYSTEM_PROMPT_LEAK"}
                assert (PROMPT[-60:] in text_of(answer)) == (policy == "default")
            assert PROMPT[:30] not in gateway.log


def text_of(answer: httpx.Response) -> str:
    """All that an answer says, streamed or not."""
    if answer.text.startswith("{"):
        choices = answer.json().get("choices", [])
        return "".join(choice["message"]["content"] or "" for choice in choices)
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    deltas = [choice for event in events for choice in json.loads(event).get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in deltas)
