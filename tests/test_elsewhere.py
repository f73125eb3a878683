"""Rules that send requests elsewhere, in the gateway as it is put together."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from gateway import actions, configured, dialects, documents
from gateway.app import Gateway
from gateway.audit.own import explained
from gateway.audit.query import Filters, query
from gateway.core.calls import Call
from gateway.core.clearance import DataClass
from gateway.core.errors import ConfigError
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal
from gateway.core.message import Message
from gateway.core.targets import Target
from gateway.pipeline.response import Head
from gateway.pipeline.run import run
from gateway.policy import examples
from gateway.policy.bundle import compile_documents
from gateway.policy.language import Vocabulary
from gateway.settings import Settings

PAGE = (Path(__file__).parents[1] / "docs" / "routing.md").read_text(encoding="utf-8")
(SHOWN,) = re.findall(r"```yaml\n(apiVersion: gateway/v1\nkind: Policy\n.*?)```", PAGE, re.DOTALL)
CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: theirs, kind: echo, provider: far, classes: [restricted, "*"]}
  - {name: narrow, kind: echo, hosting: self_hosted, classes: [internal]}
  - {name: ours, kind: echo, hosting: self_hosted, region: eu}
  - {name: messages, kind: anthropic, url: "http://127.0.0.1:9", hosting: self_hosted, region: us}
models:
  - {name: gpt, backend: theirs}
  - {name: "open-*", backend: ours}
  - {name: small, backend: narrow}
  - {name: clinic-llama, backend: ours, upstream_model: llama}
  - {name: claude, backend: messages}
"""
CHAT = dialects.load()["openai_chat"]
WHO = Principal("k1", "test", "acme", application="shop")


@pytest.fixture
def found(tmp_path: Path, sqlite_url: str) -> Settings:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    (tmp_path / "policy.yaml").write_text(SHOWN)
    return Settings(
        data=str(tmp_path),
        cache=os.environ["GATEWAY_CACHE"],
        catalogue=str(tmp_path / "catalogue.yaml"),
        policy=str(tmp_path / "policy.yaml"),
        database_url=sqlite_url,
        detectors="patterns",
        reload_s=0,
        audit_heartbeat_s=0,
        audit_sequence_s=0,
    )


def running(found: Settings, test: Callable[[Gateway], Awaitable[None]]) -> None:
    async def main() -> None:
        gateway = Gateway(found)
        try:
            await gateway.start()
            await test(gateway)
        finally:
            await gateway.aclose()

    asyncio.run(main())


async def ask(gateway: Gateway, model: str, label: str) -> tuple[Head, dict[str, Any]]:
    """One request through all but the sockets, labelled as of a class."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = {"gw-data-class": label}
    exchange = Exchange("id-1", WHO, CHAT.name, CHAT.paths[0], headers, Call(body))
    head, out = Head(0, {}), b""
    async with aclosing(run(exchange, CHAT, gateway.house())) as pieces:
        async for piece in pieces:
            if isinstance(piece, Head):
                head = piece
            else:
                out += piece
    return head, json.loads(out)


def test_the_page_shows_what_works() -> None:
    bundle = compile_documents(documents.parse(SHOWN.encode(), "p"), Vocabulary(actions.load()))
    outcomes = examples.run(bundle, lambda text: [], actions.load())
    assert [outcome.differs for outcome in outcomes if not outcome.passed] == []


def test_restricted_data_is_answered_in_this_house_and_that_is_told(found: Settings) -> None:
    async def test(gateway: Gateway) -> None:
        head, answer = await ask(gateway, "gpt", "restricted")
        assert (head.status, answer["model"]) == (200, "llama")
        assert head.headers["gw-decision"].startswith("route;")
        assert head.headers["gw-model"] == '"clinic-llama"'
        assert head.headers["gw-asked-model"] == '"gpt"'
        await asyncio.sleep(0)
        told = explained(gateway.engine, "id-1", "k1")
        assert told is not None
        assert (told["model"], told["asked_model"]) == ("clinic-llama", "gpt")
        assert told["route"]["hosting"] == "self_hosted"
        assert [(rule["action"], rule["rule"]) for rule in told["rules"]] == [
            ("route", "restricted")
        ]
        (closed,) = query(gateway.engine, Filters(kind="exchange.closed"), limit=10)
        assert (closed["model"], closed["data"]["detour"]["asked"]["provider"]) == (
            "clinic-llama", "far",
        )  # fmt: skip

    running(found, test)


@pytest.mark.parametrize(("model", "label"), [("gpt", "internal"), ("open-x", "restricted")])
def test_all_else_goes_where_it_was_to_go(found: Settings, model: str, label: str) -> None:
    async def test(gateway: Gateway) -> None:
        head, answer = await ask(gateway, model, label)
        assert (head.status, answer["model"]) == (200, model)
        assert "gw-asked-model" not in head.headers

    running(found, test)


@pytest.mark.parametrize(
    ("wanted", "dialect", "names"),
    [
        ({"hosting": "self_hosted"}, "openai_chat", ["clinic-llama"]),
        ({"model": "open-7b"}, "openai_chat", ["open-7b"]),
        ({"model": "open-7b", "region": "us"}, "openai_chat", []),
        ({"region": "us"}, "anthropic_messages", ["claude"]),
        ({"region": "us"}, "openai_embeddings", []),
        ({"model": "nobody"}, "openai_chat", []),
        ({"retention_days": 0}, "openai_chat", []),
    ],
)
def test_where_to_is_chosen_by_what_the_catalogue_says(
    found: Settings, wanted: dict[str, str | bool | int], dialect: str, names: list[str]
) -> None:
    gateway = Gateway(found)
    restricted = DataClass.of("restricted")
    chosen = gateway.router.elsewhere(Message(b"", ()), dialect, Target.of(wanted), restricted)
    assert [candidate.route.model for candidate in chosen] == names
    asyncio.run(gateway.aclose())


def test_a_policy_that_sends_to_what_is_not_there_does_not_load(found: Settings) -> None:
    path = Path(found.policy)
    path.write_text(SHOWN.replace("model: clinic-llama", "model: clinic-lama"))
    with pytest.raises(ConfigError) as err:
        configured.bundle(found)
    assert "policy.yaml:12: restricted-stays-here/health-to-the-clinic-model" in str(err.value)
    assert "model clinic-lama. The catalogue has none. It has: gpt, open-*" in str(err.value)
    with pytest.raises(ConfigError, match="The catalogue has none"):
        Gateway(found)
    with pytest.raises(ConfigError, match="The catalogue has none"):
        configured.compiler(found)([("p.yaml", path.read_text())])


def rename(path: str) -> None:
    """The model, in a file."""
    file = Path(path)
    file.write_text(file.read_text().replace("clinic-llama", "other-llama"))


def test_a_model_stays_as_long_as_a_rule_sends_there(found: Settings) -> None:
    async def test(gateway: Gateway) -> None:
        rename(found.catalogue)
        gateway.reload()
        assert "sends requests to a model that is such" in gateway.warnings["catalogue"]
        assert gateway.catalogue.find("clinic-llama")
        # With the rule it may go, whichever file is read first.
        rename(found.policy)
        gateway.reload()
        assert gateway.warnings == {}
        assert gateway.catalogue.find("clinic-llama") is None

    running(found, test)
