"""Where a request goes on to: the Gemini API, or Vertex AI where a project is set."""

from __future__ import annotations

from gateway.backends._vendors import there
from gateway.backends.gemini import Member
from gateway.core.apis import BackendOptions
from gateway.core.calls import Outgoing

CALL = Outgoing(b"{}", "gemini", "/v1beta/models/m-1:streamGenerateContent?alt=sse")


def test_the_gemini_api_takes_the_path_as_it_is_and_a_key() -> None:
    backend = Member(BackendOptions(url="https://g.example"))
    assert backend.url(CALL) == f"https://g.example{CALL.path}"
    assert backend.credential("k") == {"x-goog-api-key": "k"}


def test_vertex_takes_it_at_the_backends_own_project_and_a_token() -> None:
    settings = {"project": "p-1", "location": "europe-west4"}
    backend = Member(BackendOptions(url="https://v.example", settings=settings))
    place = "/v1beta1/projects/p-1/locations/europe-west4/publishers/google/models/m-1"
    assert backend.url(CALL) == f"https://v.example{place}:streamGenerateContent?alt=sse"
    assert backend.credential("k") == {"authorization": "Bearer k"}


def test_litellm_is_told_by_the_url_alone_where_the_models_are() -> None:
    settings = {"project": "p-1", "version": "v1"}
    vertex = there("gemini", BackendOptions(url="https://v.example/", settings=settings))
    assert vertex.url == "https://v.example/v1/projects/p-1/locations/global/publishers/google"
    assert vertex.settings == {}
    for url in ("https://g.example", "https://g.example/v1beta"):
        assert there("gemini", BackendOptions(url=url)).url == "https://g.example/v1beta"
