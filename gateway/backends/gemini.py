"""Google's models: by the Gemini API, or by Vertex AI where a project is set.

Its URL ends with the host, as in https://generativelanguage.googleapis.com. For Vertex AI the
settings are `project`, `location` and, if it is not v1beta1, `version`; the credential is then
an access token of Google Cloud, which somebody must renew, and not an API key.
"""

from __future__ import annotations

from gateway.backends._http import HttpBackend
from gateway.core.apis import BackendOptions
from gateway.core.calls import Outgoing

_GEMINI_API = "/v1beta"


def home(options: BackendOptions) -> str:
    """The URL below which the models are."""
    base, settings = options.url.rstrip("/"), options.settings
    if "project" not in settings:
        return base.removesuffix(_GEMINI_API) + _GEMINI_API
    version, location = settings.get("version", "v1beta1"), settings.get("location", "global")
    place = f"projects/{settings['project']}/locations/{location}/publishers/google"
    return f"{base}/{version}/{place}"


def by_token(options: BackendOptions) -> bool:
    """Whether the credential is a bearer's token and not an API key."""
    return "project" in options.settings


class Member(HttpBackend):
    """One of the two. What project a client names does not matter."""

    dialects = ("gemini",)

    def url(self, call: Outgoing) -> str:
        """At the backend's own place for models."""
        if not call.path.startswith(f"{_GEMINI_API}/models/"):
            return self._base + call.path
        return home(self._options) + call.path.removeprefix(_GEMINI_API)

    def credential(self, secret: str) -> dict[str, str]:
        """An API key has a header of its own; a token is a bearer's."""
        if by_token(self._options):
            return super().credential(secret)
        return {"x-goog-api-key": secret}
