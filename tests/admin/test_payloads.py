"""Kept texts over HTTP: who may read them, with what reason, and what is on record before that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.audit.reading import Leave
from gateway.core.keeping import Payload
from tests.admin.house import House, Within, closed

API = "/admin/v1/payloads"
TEXT = "the quick zanzibar jumps"
DOCUMENT = f'{{"request":{{"texts":[{{"text":"{TEXT}"}}]}},"v":1}}'.encode()
WHY = {"reason": "complaint 12"}
TWO = Leave(four_eyes=True, minutes=2)


async def written(house: House, **changes: str) -> str:
    entry = replace(closed(1, **changes), payload=Payload("anna", "default", DOCUMENT))
    await house.write(entry)
    return entry.exchange_id


async def post(house: House, who: str, path: str, said: Any = WHY) -> Any:
    return await house.client.post(f"{API}/{path}", json=said, headers=house.bearer(who))


def test_only_the_role_reads_and_the_read_is_on_record_first(within: Within) -> None:
    async def test(house: House) -> None:
        id_ = await written(house)
        for who, status in (("admin", 403), ("auditor", 403), ("user", 403), ("", 401)):
            assert (await post(house, who, id_)).status_code == status
        assert house.sink.entries == []
        told = await post(house, "ruth", id_)
        assert (told.status_code, TEXT in told.text) == (200, True)
        asked, read = house.sink.entries
        assert [entry.kind for entry in (asked, read)] == ["payload.asked", "access.payload_read"]
        assert {entry.exchange_id for entry in (asked, read)} == {id_}
        assert {entry.key_id for entry in (asked, read)} == {house.ids["ruth"]}
        assert read.core["reason"] == WHY["reason"]
        assert TEXT not in str([entry.core for entry in house.sink.entries])

    within(test)


def test_without_a_record_nothing_is_shown(within: Within) -> None:
    async def test(house: House) -> None:
        id_ = await written(house)
        house.sink.full = True
        refused = await post(house, "ruth", id_)
        assert (refused.status_code, TEXT in refused.text) == (503, False)
        house.sink.full = False
        assert (await post(house, "ruth", id_)).status_code == 200
        house.sink.full = True
        assert (await post(house, "ruth", id_)).status_code == 503

    within(test)


def test_where_two_are_wanted_somebody_else_approves_for_a_while(within: Within) -> None:
    async def test(house: House) -> None:
        id_ = await written(house)
        asked = await post(house, "ruth", id_)
        assert (asked.status_code, TEXT in asked.text) == (202, False)
        reading = asked.json()["reading"]["reading_id"]
        assert (await post(house, "ruth", f"readings/{reading}/approve")).status_code == 409
        assert (await post(house, "admin", f"readings/{reading}/approve")).status_code == 403
        approved = await post(house, "rob", f"readings/{reading}/approve")
        assert approved.json()["reading"]["approved_by"] == house.ids["rob"]
        assert (await post(house, "rob", f"readings/{reading}/approve")).status_code == 409
        assert (await post(house, "rob", id_)).status_code == 202
        assert TEXT in (await post(house, "ruth", id_)).text
        listed = await house.client.get(f"{API}/readings", headers=house.bearer("rob"))
        assert len(listed.json()["readings"]) == 2
        house.clock.ahead_ms += 3 * 60_000
        assert (await post(house, "ruth", id_)).status_code == 202
        kinds = [entry.kind for entry in house.sink.entries]
        assert kinds.count("access.payload_read") == 1
        assert kinds.count("payload.approved") == 1

    within(test, leave=TWO)


def test_what_other_tenants_said_is_as_if_it_were_not_there(within: Within) -> None:
    async def test(house: House) -> None:
        id_ = await written(house, tenant="other")
        theirs, none = await post(house, "ruth", id_), await post(house, "ruth", "0" * 36)
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert house.sink.entries == []

    within(test)


@pytest.mark.parametrize("said", [{}, {"reason": 7}, {"reason": "x", "more": 1}, [], "x"])
def test_a_reason_is_wanted_and_nothing_else(within: Within, said: Any) -> None:
    async def test(house: House) -> None:
        id_ = await written(house)
        assert (await post(house, "ruth", id_, said)).status_code == 400
        assert (await post(house, "ruth", id_, {"reason": " "})).status_code == 400

    within(test)
