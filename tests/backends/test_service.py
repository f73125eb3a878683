from __future__ import annotations

import pytest

from gateway import backends
from gateway.core.apis import Answer, Backend, BackendOptions
from gateway.core.calls import Outgoing
from gateway.core.errors import ConfigError
from tests.backends.test_openai import OK, Upstream, against

CALL = Outgoing(b'{"text": "Hi"}', "service", "/contentsafety/text:analyze?api-version=1")


@pytest.mark.parametrize(
    ("settings", "line"),
    [({}, "authorization: bearer k3y"), ({"header": "Ocp-Apim-Subscription-Key"}, "k3y")],
)
def test_its_credential_stands_where_it_wants_it(settings: dict[str, str], line: str) -> None:
    async def use(backend: Backend) -> int:
        answer: Answer = await backend.send(CALL)
        await answer.aclose()
        return answer.status

    upstream = Upstream(OK)
    assert against(upstream, use, kind="service", credential="k3y", settings=settings) == 200
    head = upstream.heads[0]
    assert head[0].startswith("POST /contentsafety/text:analyze?api-version=1 ")
    assert any(line in each for each in head)
    assert any(each.startswith("authorization") for each in head) == (not settings)


@pytest.mark.parametrize("settings", [{"auth": "x"}, {"header": "a: b\r\nc"}])
def test_settings_that_mean_nothing_are_errors(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="service"):
        backends.build("service", BackendOptions(url="http://x", settings=settings))


def test_no_client_speaks_with_it() -> None:
    backend = backends.build("service", BackendOptions(url="http://x"))
    assert backend.speaks("service")
    assert not backend.speaks("openai_chat")
