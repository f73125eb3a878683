"""Refuses addresses with the character NUL, which PostgreSQL holds in no text."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutNul:
    """Answers 400 where the path or the query holds NUL; the rest goes on to the app.

    PostgreSQL cannot be asked for such a text (its manual, section 8.3), so the question would
    fail as if the database were away. It is refused with SQLite, too, and before any key is
    looked at: nothing that the gateway records could match.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on. The path comes decoded, the query as it was sent."""
        where = _where(scope) if scope["type"] == "http" else ""
        if not where:
            await self._app(scope, receive, send)
            return
        message = (
            f"The {where} holds the character NUL (%00), which no text here does: leave it out."
        )
        refusal = JSONResponse({"error": {"status": 400, "message": message}}, 400)
        await refusal(scope, receive, send)


def _where(scope: Scope) -> str:
    if "\0" in scope["path"]:
        return "path"
    return "query" if b"\0" in unquote_to_bytes(scope["query_string"]) else ""
