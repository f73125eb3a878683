"""Quiet values on the admin app: who may mark, and that each act is on record first."""

from __future__ import annotations

from typing import Any

from tests.admin.house import House, Within

API = "/admin/v1/quiet-values"
NAME = {"category": "PERSON", "value": "Jordan Reyes"}


async def mark(house: House, who: str, said: dict[str, Any]) -> Any:
    return await house.client.post(API, json=said, headers=house.bearer(who))


async def listed(house: House, who: str) -> list[dict[str, Any]]:
    found = await house.client.get(API, headers=house.bearer(who))
    return found.json()["quiet_values"]


def test_an_admin_marks_and_ends_each_on_record(within: Within) -> None:
    async def test(house: House) -> None:
        made = await mark(house, "admin", {**NAME, "reason": "test user", "days": 3})
        assert made.status_code == 201
        (told,) = await listed(house, "admin")
        assert told == made.json()
        assert "Reyes" not in made.text
        assert (await mark(house, "admin", NAME)).status_code == 409
        gone = await house.client.delete(f"{API}/{told['id']}", headers=house.bearer("admin"))
        assert gone.json() == {"id": told["id"], "ended": True}
        assert await listed(house, "admin") == []
        again = await house.client.delete(f"{API}/{told['id']}", headers=house.bearer("admin"))
        assert again.status_code == 404
        kinds = [entry.kind for entry in house.sink.entries]
        assert kinds == ["findings.quieted", "findings.quiet_ended"]
        assert {entry.key_id for entry in house.sink.entries} == {house.ids["admin"]}
        assert "Reyes" not in repr(house.sink.entries)

    within(test)


def test_without_a_record_nothing_is_marked(within: Within) -> None:
    async def test(house: House) -> None:
        house.sink.full = True
        assert (await mark(house, "admin", NAME)).status_code == 503
        house.sink.full = False
        assert await listed(house, "admin") == []

    within(test)


def test_others_than_admins_and_other_sites_mark_nothing(within: Within) -> None:
    async def test(house: House) -> None:
        assert [(await mark(house, who, NAME)).status_code for who in ("auditor", "user", "")] == [
            403, 403, 401,
        ]  # fmt: skip
        headers = {**house.bearer("admin"), "sec-fetch-site": "cross-site"}
        assert (await house.client.post(API, json=NAME, headers=headers)).status_code == 403
        assert await listed(house, "auditor") == []
        assert house.sink.entries == []

    within(test)


def test_what_is_sent_must_be_what_it_takes(within: Within) -> None:
    async def test(house: House) -> None:
        for said in (
            {"category": "PERSON"},
            {**NAME, "more": 1},
            {**NAME, "days": "3"},
            {**NAME, "days": True},
            {**NAME, "value": 7},
        ):
            answer = await mark(house, "admin", said)
            assert answer.status_code == 400
            assert "Reyes" not in answer.text

    within(test)
