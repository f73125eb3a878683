"""The command `llm` with models of its own file: what it prints, and what was sent upstream."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.conformance import chat, llm_commands
from tests.conformance.rows import EMAIL, HARMLESS, SECRET, repeated
from tests.conformance.vendors import Received, Says, Vendors, at_once
from tests.e2e.running import Gateway

LIMIT_S = 120
EMBEDDER = "text-embedding-3-small"
TOOL = "def find(q: str) -> str:\n    return q.upper()"
PICTURE = base64.b64decode("iVBORw0KGgo=")
HELD = "holds a key, token or password"


@dataclass(frozen=True)
class Command:
    """arguments: what is typed behind the model. begins: all that is known of what is printed."""

    feature: str
    answer: Says | Callable[[Received], Says]
    arguments: tuple[str, ...] = ("Hi.",)
    prints: str = ""
    begins: str = ""
    complains: str = ""
    upstream: int = 1
    blocking: bool = False

    @property
    def model(self) -> str:
        """Only chat models can be named in llm's file."""
        if self.feature == "embeddings":
            return EMBEDDER
        return f"openai-llm-{self.feature.replace(' ', '-')}"


def looks_up(*arguments: str) -> Callable[[Received], Says]:
    """Calls a tool, and says what the tool gave back."""

    def answer(got: Received) -> Says:
        given = [m["content"] for m in got.json["messages"] if m["role"] == "tool"]
        return chat.spoken(" and ".join(given)) if given else chat.called(*arguments)

    return answer


_ROWS = (
    Command("unary", chat.echoed, ("--no-stream", EMAIL.text), EMAIL.text),
    Command("streamed", repeated, (EMAIL.text,), EMAIL.text),
    Command(
        "tools", looks_up('{"q": "one"}'), ("--functions", TOOL, "Find."), prints="ONE", upstream=2
    ),
    Command(
        "parallel tools",
        looks_up('{"q": "one"}', '{"q": "two"}'),
        ("--functions", TOOL, "Find."),
        prints="ONE and TWO",
        upstream=2,
    ),
    Command(
        "structured output",
        chat.spoken('{"q": "x"}'),
        ("--schema", "q str", "Find."),
        prints='{"q": "x"}',
    ),
    Command("vision", chat.spoken("A dot."), ("-a", "dot.png", "What is it?"), prints="A dot."),
    Command("embeddings", chat.embedded, ("-c", EMAIL.text), prints="[1.0, 2.0]"),
    Command("errors", chat.failed(429, "slow"), complains="Not now."),
    Command("blocked request", repeated, (SECRET.text,), complains=HELD, upstream=0),
    Command(
        "block before the first byte",
        at_once(chat.spoken(SECRET.text)),
        complains="the message holds AWS_ACCESS_KEY",
        blocking=True,
    ),
    Command(
        "block in mid-stream",
        chat.spoken(HARMLESS * 20 + SECRET.text),
        begins=HARMLESS,
        blocking=True,
    ),
)
ROWS = {row.feature: row for row in _ROWS}


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, gateway: Gateway, blocking: Gateway, vendors: Vendors
) -> dict[str, Any]:
    """What came of each row, all typed one after the other."""
    folder = tmp_path_factory.mktemp("llm")
    (folder / "dot.png").write_bytes(PICTURE)
    models, typed = [], []
    for row in _ROWS:
        model, door = vendors.answer(row.model, row.answer), blocking if row.blocking else gateway
        models.append(_model(model, door))
        first = ["embed"] if model == EMBEDDER else ["prompt", "--no-log"]
        typed.append([*first, "-m", model, "--key", door.key, *row.arguments])
    (folder / "extra-openai-models.yaml").write_text(yaml.safe_dump(models))
    own = {
        "LLM_USER_PATH": str(folder),
        "LLM_LOAD_PLUGINS": "",
        "OPENAI_BASE_URL": f"{gateway.url}/v1",
    }
    done = subprocess.run(
        [sys.executable, llm_commands.__file__],
        cwd=folder,
        env={**os.environ, **own},
        input=json.dumps(typed),
        check=True,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    return dict(zip(ROWS, json.loads(done.stdout), strict=True))


def _model(name: str, door: Gateway) -> dict[str, Any]:
    able = {"vision": True, "supports_tools": True, "supports_schema": True}
    there = {"api_base": f"{door.url}/v1", "api_key_name": "gateway"}
    return {"model_id": name, "model_name": name, **there, **able}


@pytest.mark.covers(
    "llm",
    "unary",
    "streamed",
    "tools",
    "parallel tools",
    "structured output",
    "vision",
    "embeddings",
    "errors",
    "blocked request",
    "block before the first byte",
    "block in mid-stream",
)
def test_the_command_prints_what_the_row_says(
    row: Command, told: dict[str, Any], gateway: Gateway, blocking: Gateway, vendors: Vendors
) -> None:
    got, sent = told[row.feature], vendors.of(row.model)
    assert got["code"] == (1 if row.complains else 0), got
    assert row.complains in got["complained"]
    assert got["printed"].startswith(row.begins) if row.begins else got["printed"] == row.prints
    assert SECRET.value not in str(got)
    assert len(sent) == row.upstream
    exchanges = max(row.upstream, 1)
    door = blocking if row.blocking else gateway
    assert len(door.ends(row.model, exchanges)) == exchanges
    assert not any(EMAIL.value.encode() in request.body for request in sent)


def test_a_picture_and_a_schema_go_on_as_they_are(told: dict[str, Any], vendors: Vendors) -> None:
    assert told
    (seen,), (asked,) = (vendors.of(ROWS[f].model) for f in ("vision", "structured output"))
    assert base64.b64encode(PICTURE) in seen.body
    assert asked.json["response_format"]["json_schema"]["schema"]["required"] == ["q"]
