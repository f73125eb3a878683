"""The log through the API: filters, pages, and the record of each read."""

import pytest

from gateway.audit.query import READ
from tests.admin.house import House, Within, closed

PATH = "/admin/v1/exchanges"


def test_pages_give_each_entry_once(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(*(closed(number) for number in range(7)))
        for order in ("newest", "oldest"):
            seen, after = [], ""
            while after is not None:
                params = {"limit": "3", "order": order, "after": after}
                answer = await made.client.get(PATH, params=params, headers=made.bearer("auditor"))
                seen += [entry["exchange_id"] for entry in answer.json()["entries"]]
                after = answer.json()["next"]
            ids = [f"{number:08d}-exchange" for number in range(7)]
            assert sorted(seen) == ids  # of one millisecond the order is open

    within(test)


def test_filters_hold_together(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1), closed(2, tenant="other"), closed(3, outcome="blocked"))
        for params, found in [
            ({"tenant": "acme"}, [3, 1]),
            ({"tenant": "acme", "outcome": "blocked"}, [3]),
            ({"category": "EMAIL_ADDRESS", "outcome": "completed"}, [2, 1]),
            ({"rule": "default/none"}, []),
            ({"since_ms": str(made.clock.now_ms() + 60_000)}, []),
            ({"kind": "exchange.opened"}, []),
        ]:
            answer = await made.client.get(PATH, params=params, headers=made.bearer("admin"))
            ids = [int(entry["exchange_id"][:8]) for entry in answer.json()["entries"]]
            assert ids == found, params

    within(test)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "order=up", "after=x", "after=1", "since_ms=-1", "tenat=a"],
)
def test_bad_parameters_are_named(within: Within, query: str) -> None:
    async def test(made: House) -> None:
        answer = await made.client.get(f"{PATH}?{query}", headers=made.bearer("admin"))
        assert answer.status_code == 400
        assert query.partition("=")[0] in answer.json()["error"]["message"]

    within(test)


def test_each_read_is_on_record_without_values(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1))
        headers = made.bearer("auditor")
        await made.client.get(PATH, params={"application": "jane-roe"}, headers=headers)
        await made.client.get(f"{PATH}/00000001", headers=headers)
        await made.sign_in("admin")
        await made.client.get("/")
        kinds = {entry.kind for entry in made.sink.entries}
        said = [(e.core["via"], e.core["filters"], e.core["count"]) for e in made.sink.entries]
        assert kinds == {READ}
        assert said == [("api", ["application"], 0), ("api", ["exchange_id"], 1), ("page", [], 1)]
        assert "jane-roe" not in str(made.sink.entries)
        keys = [entry.key_id for entry in made.sink.entries]
        assert keys == [made.ids["auditor"]] * 2 + [made.ids["admin"]]
        shown = (await made.client.get(f"{PATH}/00000001", headers=headers)).json()
        assert [entry["kind"] for entry in shown["others"]] == [READ]

    within(test)


def test_only_an_admin_reads_what_other_tenants_did(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1), closed(2, tenant="other"))
        for who, seen, status in [("auditor", [1], 404), ("admin", [1, 2], 200)]:
            headers = made.bearer(who)
            answer = await made.client.get(PATH, params={"order": "oldest"}, headers=headers)
            ids = [int(entry["exchange_id"][:8]) for entry in answer.json()["entries"]]
            assert sorted(ids) == seen
            other = {"tenant": "other"}
            answer = await made.client.get(PATH, params=other, headers=headers)
            assert len(answer.json()["entries"]) == len(seen) - 1 or who == "auditor"
            assert '"other"' not in answer.text or who == "admin"
            answer = await made.client.get(f"{PATH}/00000002", headers=headers)
            assert answer.status_code == status

    within(test)


def test_no_record_no_read(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1))
        made.sink.full = True
        for path in (PATH, f"{PATH}/00000001"):
            answer = await made.client.get(path, headers=made.bearer("admin"))
            assert answer.status_code == 503
            assert "00000001" not in answer.text
        await made.sign_in("admin")
        page = await made.client.get("/")
        assert page.status_code == 200
        assert "EMAIL_ADDRESS" not in page.text
        assert "cannot record this read" in page.text

    within(test)


def test_ambiguous_and_unknown_ids(within: Within) -> None:
    async def test(made: House) -> None:
        await made.write(closed(1), closed(2))
        for exchange_id, status in [("0000000", 400), ("00000009", 404), ("00000002-ex", 200)]:
            answer = await made.client.get(f"{PATH}/{exchange_id}", headers=made.bearer("admin"))
            assert answer.status_code == status

    within(test)
