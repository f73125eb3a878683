"""Saved questions over HTTP: who may ask, what is on record."""

from tests.admin.house import House, Within, closed

PATH = "/admin/v1/audit/questions"


def test_an_auditor_is_answered_for_its_own_tenant(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1), closed(2, tenant="other"))
        for role, tenants in (("auditor", {"acme"}), ("admin", {"acme", "other"})):
            headers = made.bearer(role)
            answer = await made.client.get(f"{PATH}/destinations?tenant=", headers=headers)
            assert {row["tenant"] for row in answer.json()["rows"]} == tenants

    within(test)


def test_each_answer_is_on_record(within: Within) -> None:
    async def test(made: House) -> None:
        listed = await made.client.get(PATH, headers=made.bearer("auditor"))
        assert "blocked" in {question["name"] for question in listed.json()["questions"]}
        await made.client.get(f"{PATH}/blocked", headers=made.bearer("auditor"))
        (entry,) = made.sink.entries
        assert entry.core["filters"] == ["question", "blocked"]

    within(test)


def test_what_cannot_be_asked_is_said(within: Within) -> None:
    async def test(made: House) -> None:
        for rest, status in (("/why", 404), ("/blocked?since=1", 400), ("/usage?since_ms=x", 400)):
            answer = await made.client.get(PATH + rest, headers=made.bearer("admin"))
            assert answer.status_code == status
        assert (await made.client.get(f"{PATH}/blocked")).status_code == 401
        assert made.sink.entries == []

    within(test)
