"""Azure OpenAI: one resource, whose deployments are the upstream's models.

settings: `api_version` chooses the older paths with a deployment in them, without it the v1
paths are used; `auth: bearer` shows the credential as an Entra token and not as a key.
Its URL is the resource's endpoint, as in https://NAME.openai.azure.com.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from gateway.backends._http import HttpBackend
from gateway.core.apis import BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import ConfigError

# What is served below a deployment; anything else belongs to the resource (REST reference, 2026).
_DEPLOYED = frozenset(
    {
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/images/generations",
        "/images/edits",
        "/audio/speech",
        "/audio/transcriptions",
        "/audio/translations",
    }
)
_SETTINGS = ("api_version", "auth")
_AUTH = ("key", "bearer")


class Member(HttpBackend):
    """One resource."""

    dialects = ("openai_",)

    def __init__(self, options: BackendOptions) -> None:
        """Raises ConfigError for settings that are not known."""
        super().__init__(options)
        unknown = sorted(options.settings.keys() - set(_SETTINGS))
        if unknown:
            raise ConfigError(
                f"azure: unknown setting {unknown[0]!r}. Known: {', '.join(_SETTINGS)}."
            )
        self._version = options.settings.get("api_version", "")
        self._auth = options.settings.get("auth", "key")
        if self._auth not in _AUTH:
            raise ConfigError(f"azure: 'auth' must be one of {', '.join(_AUTH)}.")

    def url(self, call: Outgoing) -> str:
        """Below the deployment, or the resource's v1 API."""
        path, _, query = call.path.partition("?")
        path = path.removeprefix("/v1")
        if not self._version:
            return f"{self._base}/openai/v1{path}" + (f"?{query}" if query else "")
        version = urlencode({"api-version": self._version})
        query = f"{query}&{version}" if query else version
        if path == "/realtime":
            query = query.replace("model=", "deployment=", 1)
        if path in _DEPLOYED:
            path = f"/deployments/{quote(call.model, safe='')}{path}"
        return f"{self._base}/openai{path}?{query}"

    def credential(self, secret: str) -> dict[str, str]:
        """A key, or an Entra token."""
        if self._auth == "bearer":
            return {"authorization": f"Bearer {secret}"}
        return {"api-key": secret}
