"""Policies over HTTP: who may look, who may act, and what is on record of it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.admin.house import House, Within
from tests.lifecycle.house import compiled, policy

ROOT = "/admin/v1/policies"


def texts(name: str, then: str = "block") -> list[dict[str, str]]:
    return [{"name": file, "text": said} for file, said in policy(name, then)]


async def act(house: House, path: str, who: str = "policy", **said: Any) -> httpx.Response:
    return await house.client.post(ROOT + path, json=said, headers=house.bearer(who))


def test_pushed_activated_and_taken_back(within: Within) -> None:
    async def test(house: House) -> None:
        pushed = await act(house, "", texts=texts("one"), reason="a first one")
        digest = pushed.json()["digest"]
        assert digest == compiled(policy("one")).digest
        done = (await act(house, f"/{digest[:12]}/activate")).json()
        assert (done["what"], done["digest"]) == ("activated", digest)
        seen = await house.client.get(ROOT, headers=house.bearer("auditor"))
        assert seen.json()["in_force"] == {"source": "bundle", "digest": digest}
        one = await house.client.get(f"{ROOT}/{digest[:12]}", headers=house.bearer("auditor"))
        assert one.json()["texts"] == texts("one")
        assert (await act(house, "/rollback")).status_code == 200
        acts = await house.client.get(f"{ROOT}/history", headers=house.bearer("admin"))
        assert [a["what"] for a in acts.json()["acts"]] == ["rolled_back", "activated", "proposed"]
        assert [(e.kind, e.core["who"], e.core["via"]) for e in house.sink.entries] == [
            ("policy.change", f"key:{house.ids['policy']}", "api")
        ] * 3

    within(test)


def test_staged_and_promoted(within: Within) -> None:
    async def test(house: House) -> None:
        digest = (await act(house, "", texts=texts("one"))).json()["digest"]
        staged = await act(house, f"/{digest}/stage", percent=5, margin_pm=20, minimum=7)
        assert staged.json()["percent"] == 5
        going = (await house.client.get(ROOT, headers=house.bearer("admin"))).json()["rollout"]
        assert (going["margin_pm"], going["minimum"], going["tally"]["staged"]) == (20, 7, 0)
        assert (await act(house, "/promote", percent=50)).json()["percent"] == 50
        assert (await act(house, "/promote")).json()["percent"] == 100
        seen = (await house.client.get(ROOT, headers=house.bearer("admin"))).json()
        assert (seen["in_force"]["digest"], seen["rollout"]) == (digest, None)

    within(test)


@pytest.mark.parametrize(
    ("who", "looks", "acts"),
    [("", 401, 401), ("user", 403, 403), ("auditor", 200, 403), ("policy", 200, 409),
     ("admin", 200, 409)],
)  # fmt: skip
def test_who_may_look_and_who_may_act(within: Within, who: str, looks: int, acts: int) -> None:
    async def test(house: House) -> None:
        for path in ("", "/history"):
            got = await house.client.get(ROOT + path, headers=house.bearer(who))
            assert got.status_code == looks
        for path in ("", "/promote", "/rollback", "/" + "0" * 8 + "/activate"):
            assert (await act(house, path, who)).status_code == acts
        assert house.sink.entries == []

    within(test)


def test_a_session_acts_only_from_our_own_page(within: Within) -> None:
    async def test(house: House) -> None:
        await house.sign_in("admin")
        for site, status in (("cross-site", 403), ("same-origin", 409)):
            got = await house.client.post(
                f"{ROOT}/rollback", json={}, headers={"sec-fetch-site": site}
            )
            assert got.status_code == status

    within(test)


def test_no_record_no_act(within: Within) -> None:
    async def test(house: House) -> None:
        digest = (await act(house, "", texts=texts("one"))).json()["digest"]
        house.sink.full = True
        assert (await act(house, f"/{digest}/activate")).status_code == 503
        seen = await house.client.get(ROOT, headers=house.bearer("admin"))
        assert seen.json()["in_force"]["digest"] == ""

    within(test)


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"texts": "no"}, 409, "expected a list of policies"),
        ({"texts": [{"name": "x"}]}, 409, "a name and a text"),
        ({"texts": [{"name": "x.yaml", "text": "kind: Policy"}]}, 409, "x.yaml:1"),
        ({"polices": []}, 409, "Unknown member 'polices'"),
        ({"bundle": "{}"}, 409, "no signed bundle"),
        ({"reason": 3}, 400, "expected a text"),
        ([], 400, "JSON object"),
        ({"texts": [{"name": "x.yaml", "text": "\0"}]}, 400, "U+0000"),
        ({"texts": [{"name": "x.yaml", "text": "\ud800"}]}, 400, "surrogate"),
        ({"\ud800": 1}, 400, "surrogate"),
    ],
)
def test_what_cannot_be_read_is_told(within: Within, said: Any, status: int, words: str) -> None:
    async def test(house: House) -> None:
        got = await house.client.post(ROOT, content=json.dumps(said), headers=house.bearer("admin"))
        assert (got.status_code, words in got.json()["error"]["message"]) == (status, True)

    within(test)


def test_a_stage_that_cannot_be_kept_is_not_on_record(within: Within) -> None:
    async def test(house: House) -> None:
        digest = (await act(house, "", texts=texts("one"))).json()["digest"]
        before = len(house.sink.entries)
        got = await act(house, f"/{digest}/stage", percent=5, minimum=10**30)
        assert (got.status_code, len(house.sink.entries)) == (409, before)

    within(test)
