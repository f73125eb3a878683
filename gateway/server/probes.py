"""What anybody may ask: whether this process lives, and whether it can judge."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.apis import Reply
from gateway.server.asgi import json_reply

# The last is where Anthropic's coding client looks whether its gateway is there
# (code.claude.com, LLM gateway protocol, 2026).
PROBES = ("/livez", "/readyz", "/api/hello")


def probe(path: str, problems: Mapping[str, str], warnings: Mapping[str, str]) -> Reply:
    """The answer to /readyz (503 with the problems by part), and to the others (always well)."""
    if path != "/readyz":
        return json_reply(200, {"status": "ok"})
    if problems:
        return json_reply(503, {"status": "not ready", "problems": dict(problems)})
    return json_reply(200, {"status": "ok", **({"warnings": dict(warnings)} if warnings else {})})
