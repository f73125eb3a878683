from __future__ import annotations

import pytest

from gateway.backends.azure import Member
from gateway.core.apis import BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import ConfigError

BASE = "https://name.example.net"


def azure(**settings: str) -> Member:
    return Member(BackendOptions(url=BASE, credential="s", settings=settings))


@pytest.mark.parametrize(
    ("path", "version", "url"),
    [
        ("/v1/chat/completions", "", "/openai/v1/chat/completions"),
        ("/v1/files?limit=2", "", "/openai/v1/files?limit=2"),
        (
            "/v1/chat/completions",
            "2024-10-21",
            "/openai/deployments/a%2Fb/chat/completions?api-version=2024-10-21",
        ),
        ("/v1/files?limit=2", "v9", "/openai/files?limit=2&api-version=v9"),
        ("/v1/realtime?model=a%2Fb", "", "/openai/v1/realtime?model=a%2Fb"),
        ("/v1/realtime?model=a%2Fb", "v9", "/openai/realtime?deployment=a%2Fb&api-version=v9"),
    ],
)
def test_the_version_chooses_the_paths(path: str, version: str, url: str) -> None:
    settings = {"api_version": version} if version else {}
    call = Outgoing(b"", "openai_chat", path, model="a/b")
    assert azure(**settings).url(call) == BASE + url


def test_the_credential_is_a_key_or_a_token() -> None:
    assert azure().credential("s") == {"api-key": "s"}
    assert azure(auth="bearer").credential("s") == {"authorization": "Bearer s"}


@pytest.mark.parametrize("settings", [{"auth": "basic"}, {"version": "1"}])
def test_a_setting_that_is_not_known_is_an_error(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        azure(**settings)


def test_it_takes_openais_dialects() -> None:
    assert azure().speaks("openai_chat")
    assert not azure().speaks("ollama")
