"""`gateway policy replay` and `diff` on the log of a gateway that has judged something."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway import dialects, settings
from gateway.app import Gateway as Running
from gateway.audit.query import READ, Filters, walk
from gateway.core.calls import Call
from gateway.core.differing import of_record
from gateway.core.exchange import Exchange
from gateway.core.ids import new_id
from gateway.core.judgement import Principal
from gateway.pipeline.run import run
from tests.cli.house import SECRET, Gateway, lines, value
from tests.lifecycle.house import policy

CHAT = dialects.load()["openai_chat"]
SAID = ["hello", f"use {SECRET}", f"{SECRET}, and {SECRET}", "bye"]


def write(folder: Path, name: str, then: str = "block", category: str = "GITHUB_TOKEN") -> str:
    ((file, text),) = policy(name, then, category)
    path = folder / file
    path.write_text(text)
    return str(path)


@pytest.fixture
def strict(tmp_path: Path, ready: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A candidate that blocks tokens, where they are only taken out."""
    monkeypatch.setenv("GATEWAY_POLICY", write(tmp_path, "live", "redact"))
    return write(tmp_path, "one")


@pytest.fixture
def asked(ready: Path, strict: str, gateway: Gateway) -> list[tuple[str, tuple[str, ...], str]]:
    """Makes traffic of two applications with the candidate as a shadow; what the shadow said."""
    digest = value(gateway("policy", "push", strict, "--json"))["digest"]
    gateway("policy", "stage", digest[:12])

    async def main() -> list[tuple[str, tuple[str, ...], str]]:
        running = Running(settings.read())
        try:
            await running.start()
            for application in ("shop", "desk"):
                who = Principal("k1", "test", "acme", application=application)
                for said in SAID:
                    message = {"role": "user", "content": said}
                    body = json.dumps({"model": "echo", "messages": [message]}).encode()
                    exchange = Exchange(new_id(), who, CHAT.name, CHAT.paths[0], {}, Call(body))
                    async with aclosing(run(exchange, CHAT, running.house())) as pieces:
                        async for _ in pieces:
                            pass
            entries = [*walk(running.engine, Filters(kind="exchange.closed"))]
        finally:
            await running.aclose()
        told = [
            (of_record(said), e["application"]) for e in entries for said in e["data"]["shadow"]
        ]
        return [(each.flip, each.rules, application) for each, application in told]

    return asyncio.run(main())


def test_the_log_says_what_the_shadow_said(
    gateway: Gateway, strict: str, asked: list[tuple[str, tuple[str, ...], str]]
) -> None:
    found = value(gateway("policy", "replay", strict, "--json"))
    live = Counter(flip for flip, _, _ in asked)
    assert found["judged"] == len(asked) == 2 * len(SAID)
    assert live["newly_blocked"] == 4
    assert {flip: found[flip] for flip in live} == live
    rows = Counter((flip, rule, app) for flip, rules, app in asked for rule in rules)
    (read,) = lines(gateway("audit", "query", "--json", "--kind", READ))
    assert (read["data"]["as"], read["data"]["digest"]) == ("replay", found["digest"])
    assert rows == {
        (row["flip"], row["rule"], row["application"]): row["exchanges"] for row in found["flips"]
    }
    shown = gateway("policy", "replay", found["digest"][:12]).stdout
    assert "newly blocked" in shown
    assert "one/r" in shown
    assert "shop" in shown


# the share that may be newly blocked, of which half are -> exit code
LIMITS = [("49.9%", 1), ("50%", 0), ("0", 1)]


@pytest.mark.usefixtures("asked")
def test_more_new_blocks_than_may_be_fail(gateway: Gateway, strict: str) -> None:
    for limit, code in LIMITS:
        result = gateway("policy", "replay", strict, "--max-new-blocks", limit, code=code)
        assert "50 % newly blocked" in result.stdout
    none = ("--tenant", "nobody")
    found = gateway("policy", "replay", strict, *none, "--max-new-blocks", "1%", "--json", code=1)
    assert (value(found)["ok"], value(found)["judged"]) == (False, 0)
    assert "nothing" in gateway("policy", "replay", strict, "--until", "1d").stdout.lower()


@pytest.mark.usefixtures("asked")
def test_two_bundles_are_compared_on_the_log_and_that_is_on_record(
    gateway: Gateway, strict: str, tmp_path: Path
) -> None:
    mild = write(tmp_path, "two", "redact")
    diff = ("policy", "diff", "--since", "1h", "--json")
    there = value(gateway(*diff, mild, strict))
    assert (there["log"]["judged"], there["log"]["newly_blocked"]) == (8, 4)
    back = value(gateway(*diff, strict, mild, "--tenant", "acme"))
    assert (back["log"]["newly_blocked"], back["log"]["no_longer_blocked"]) == (0, 4)
    told = [e["data"] for e in lines(gateway("audit", "query", "--json", "--kind", READ))]
    assert sorted((t["as"], t["tenant"], t["digest"]) for t in told) == [
        ("diff", "", there["after"]), ("diff", "acme", back["after"]),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", ["some", "101%", "-1%", "5%%", "1e3"])
def test_a_share_is_a_percentage(gateway: Gateway, strict: str, limit: str) -> None:
    said = gateway("policy", "replay", strict, f"--max-new-blocks={limit}", code=2).stderr
    assert "expected a percentage" in said


def test_a_broken_candidate_is_told_with_file_and_line(
    gateway: Gateway, strict: str, tmp_path: Path
) -> None:
    Path(strict).write_text(Path(strict).read_text().replace("then: block", "then: blok"))
    for command in ("replay", "diff"):
        assert "one.yaml:6" in gateway("policy", command, strict, code=2).stderr
    away = str(tmp_path / "away.yaml")
    assert "away.yaml" in gateway("policy", "replay", away, code=2).stderr
    assert "no bundle" in gateway("policy", "replay", "0" * 12, code=2).stderr


def test_what_changes_is_told(gateway: Gateway, strict: str) -> None:
    before = value(gateway("policy", "push", strict, "--json"))["digest"]
    same = value(gateway("policy", "diff", before[:8], strict, "--json"))
    assert (same["changes"], same["log"], same["before"]) == ([], None, before)
    assert "the same" in gateway("policy", "diff", before[:8], strict).stdout
    changed = Path(strict).read_text().replace("block", "mask").replace("[GITHUB", "[UUID, GITHUB")
    Path(strict).write_text(changed)
    (change,) = value(gateway("policy", "diff", before, strict, "--json"))["changes"]
    assert (change["name"], change["change"]) == ("one/r", "changed")
    assert change["fields"][0] == {"name": "then", "before": "block", "after": "mask"}
    shown = gateway("policy", "diff", before, strict).stdout
    assert "then: block -> mask" in shown
    assert "categories: +UUID" in shown


def test_without_a_second_one_it_is_what_is_in_force(gateway: Gateway, strict: str) -> None:
    files = value(gateway("policy", "check", "--json"))["digest"]
    assert value(gateway("policy", "diff", strict, "--json"))["before"] == files
    digest = value(gateway("policy", "push", strict, "--json"))["digest"]
    gateway("policy", "activate", digest)
    assert value(gateway("policy", "diff", strict, "--json"))["before"] == digest
