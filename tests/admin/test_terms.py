"""Terms of use on the admin app: who may read, who may act, and that each act is on record."""

from __future__ import annotations

import json
from typing import Any

from tests.admin.house import House, Within

API = "/admin/v1/terms"
ONE = {"profile": "maker/one"}


async def do(house: House, who: str, verb: str, said: dict[str, Any]) -> Any:
    return await house.client.post(f"{API}/{verb}", json=said, headers=house.bearer(who))


def test_readers_read_and_nobody_else(within: Within) -> None:
    async def test(house: House) -> None:
        for path in (API, f"{API}/acts", f"{API}/profiles/maker/one"):
            got = [
                (await house.client.get(path, headers=house.bearer(who))).status_code
                for who in ("auditor", "user", "")
            ]
            assert got == [200, 403, 401]
        shown = (
            await house.client.get(f"{API}/profiles/maker/one", headers=house.bearer("auditor"))
        ).json()
        assert (shown["status"], shown["notices"][0]["text"]) == ("draft", "Built with One")

    within(test)


def test_an_admin_approves_accepts_attests_and_withdraws_each_on_record(within: Within) -> None:
    async def test(house: House) -> None:
        assert (await do(house, "admin", "accept", ONE)).status_code == 409
        assert (await do(house, "admin", "approve", ONE)).status_code == 200
        accepted = await do(house, "admin", "accept", {**ONE, "tenant": "other", "days": 10})
        assert accepted.json()["for"]["tenant"] == "other"
        assert accepted.json()["warning"].startswith("No key is of the tenant 'other'.")
        fact = {"fact": "licensee_region=DE", "application": "shop"}
        assert (await do(house, "admin", "attest", fact)).status_code == 200
        gone = {"id": accepted.json()["id"]}
        assert (await do(house, "admin", "withdraw", gone)).status_code == 200
        assert (await do(house, "admin", "withdraw", gone)).status_code == 409
        kinds = [entry.kind for entry in house.sink.entries]
        assert kinds == ["terms.approved", "terms.accepted", "terms.attested", "terms.withdrawn"]
        assert {entry.key_id for entry in house.sink.entries} == {house.ids["admin"]}
        told = (await house.client.get(f"{API}/acts", headers=house.bearer("auditor"))).json()
        assert [each["what"] for each in told["acts"]] == ["approval", "attestation"]

    within(test)


def test_no_other_revision_than_the_one_that_was_read_is_approved_or_accepted(
    within: Within,
) -> None:
    async def test(house: House) -> None:
        other = {**ONE, "rev": "2019-01"}
        for verb in ("approve", "accept"):
            refused = await do(house, "admin", verb, other)
            assert (refused.status_code, "'2019-01'" in refused.text) == (409, True)
            assert (await do(house, "admin", verb, {**ONE, "rev": "1"})).status_code == 200
        await house.sign_in("admin")
        assert (await house.client.post("/terms/accept", data=other)).status_code == 409
        assert 'name="rev" value="1"' in (await house.client.get("/terms")).text
        assert len(house.sink.entries) == 2

    within(test)


def test_without_a_record_nothing_is_done(within: Within) -> None:
    async def test(house: House) -> None:
        house.sink.full = True
        assert (await do(house, "admin", "approve", ONE)).status_code == 503
        house.sink.full = False
        told = (await house.client.get(API, headers=house.bearer("admin"))).json()
        assert told["profiles"][0]["status"] == "draft"

    within(test)


def test_others_than_admins_and_other_sites_do_nothing(within: Within) -> None:
    async def test(house: House) -> None:
        for who in ("auditor", "user"):
            assert (await do(house, who, "approve", ONE)).status_code == 403
        await house.sign_in("admin")
        elsewhere = {"sec-fetch-site": "cross-site"}
        for path in (f"{API}/approve", "/terms/approve"):
            answer = await house.client.post(path, data=ONE, headers=elsewhere)
            assert answer.status_code == 403
        assert house.sink.entries == []

    within(test)


def test_what_is_sent_must_be_what_the_act_takes(within: Within) -> None:
    async def test(house: House) -> None:
        cases = [("approve", {}), ("approve", {**ONE, "x": "y"}), ("attest", ONE), ("accept", [])]
        for verb, said in cases:
            assert (await do(house, "admin", verb, said)).status_code == 400
        assert (await do(house, "admin", "burn", ONE)).status_code == 404
        assert (await do(house, "admin", "approve", {"profile": "no/such"})).status_code == 409

    within(test)


def test_what_cannot_be_kept_is_not_on_record(within: Within) -> None:
    async def test(house: House) -> None:
        await do(house, "admin", "approve", ONE)
        for more, status in [({"tenant": "a\0"}, 400), ({"as": "\ud800"}, 400), ({"days": 0}, 409)]:
            answer = await house.client.post(
                f"{API}/accept", content=json.dumps({**ONE, **more}), headers=house.bearer("admin")
            )
            assert answer.status_code == status
        await house.sign_in("admin")
        assert (
            await house.client.post("/terms/accept", data={**ONE, "as": "\0"})
        ).status_code == 400
        assert [entry.kind for entry in house.sink.entries] == ["terms.approved"]

    within(test)


def test_the_page_shows_profiles_and_takes_forms(within: Within) -> None:
    async def test(house: House) -> None:
        assert (await house.client.get("/terms")).status_code == 401
        await house.sign_in("auditor")
        page = (await house.client.get("/terms")).text
        assert "maker/one" in page
        assert '<form method="post" action="/terms/' not in page
        await house.sign_in("admin")
        assert 'action="/terms/approve"' in (await house.client.get("/terms")).text
        answer = await house.client.post("/terms/approve", data=ONE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/terms")
        answer = await house.client.post("/terms/accept", data={**ONE, "as": "<b>", "days": "x"})
        assert answer.status_code == 409
        assert "whole number" in answer.text
        answer = await house.client.post("/terms/accept", data={**ONE, "tenant": "<i>"})
        assert answer.status_code == 303
        page = (await house.client.get("/terms")).text
        assert "&lt;i&gt;" in page
        assert "<i>" not in page.replace("<i></i>", "")

    within(test)
