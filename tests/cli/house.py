"""What tests of commands say often."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

from gateway.core.ports import Entry

Gateway = Callable[..., Result]
SECRET = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" + "cF0hJ3kL6"


def url(data: Path) -> str:
    return f"sqlite:///{data / 'gateway.db'}"


def lines(result: Result) -> list[dict[str, Any]]:
    """The JSON values of the output, one a line."""
    return [json.loads(row) for row in result.stdout.splitlines()]


def value(result: Result) -> Any:
    """The one JSON value of the output."""
    (found,) = lines(result)
    return found


def opened(number: int) -> Entry:
    return Entry(f"{number:08d}-exchange", "exchange.opened", {}, tenant="acme", model="echo")


def closed(number: int, outcome: str = "completed") -> Entry:
    side = {
        "findings": [{"category": "EMAIL_ADDRESS", "count": 2, "detector": "pii"}],
        "effects": [{"action": "redact", "rule": "default/contact", "count": 2}],
    }
    core = {"request": side, "response": {"findings": [], "effects": []}}
    return Entry(
        f"{number:08d}-exchange",
        "exchange.closed",
        core,
        tenant="acme",
        model="echo",
        outcome=outcome,
    )
