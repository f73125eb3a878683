"""`scripts/replay`: holds for our own samples, and says what does not hold."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
WIRE = ROOT / "tests" / "wire" / "openai_chat"


@pytest.fixture(scope="module")
def replay() -> Any:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import _replay

        yield _replay
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def recording(answer: str) -> dict[str, Any]:
    kind = "text/event-stream" if answer.endswith("sse") else "application/json"
    return {
        "host": "api.example.com",
        "path": "/base/v1/chat/completions",
        "method": "POST",
        "request": (WIRE / "tools.request.json").read_text(encoding="utf-8"),
        "status": 200,
        "content_type": kind,
        "response": (WIRE / answer).read_text(encoding="utf-8"),
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "chat.jsonl"
    names = ("openai_text.json", "openai_tools.sse", "vllm_reasoning.sse")
    found.write_text("\n".join(json.dumps(recording(name)) for name in names), encoding="utf-8")
    return found


def test_all_checks_hold_for_our_own_samples(
    replay: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asyncio.run(replay.main([file], replay.policies(), seed=1)) == 0
    assert "3 exchanges, 2 streams, 3 as openai_chat" in capsys.readouterr().out


def test_a_canary_that_comes_out_is_told(
    replay: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = dict.fromkeys(("nothing", "strict", "mild"), replay.NOTHING)
    assert asyncio.run(replay.main([file], idle, seed=1)) > 0
    told = capsys.readouterr().out
    assert "leaks (strict, request)" in told
    assert "leaks (mild, answer)" in told


def test_a_changed_byte_is_told(
    replay: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    eager = {**replay.policies(), "nothing": replay.NOTHING.replace("then: flag", "then: redact")}
    assert asyncio.run(replay.main([file], eager, seed=1)) > 0
    assert "bytes:" in capsys.readouterr().out
