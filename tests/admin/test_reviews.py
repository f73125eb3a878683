"""Reviews on the admin app: the queue and its decisions, for programs and for people."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.judgement import Principal, ReviewOrder, Route
from gateway.core.reviews import Attached, Found, Held, Reason, Shown
from tests.admin.house import House, Within

API = "/admin/v1/reviews"
PATH = "/messages/0/content"
TEXT = "Tell <b>EMAIL_K7Q2MX</b> & nobody\nelse."
MARK = Found(8, 20, "EMAIL_ADDRESS", "pii", 900, {"default/mail": "pseudonymise"})
HELD = Held(
    exchange_id="0192-exchange",
    principal=Principal("asks", "<bot>", "acme", "support"),
    endpoint="/v1/chat/completions",
    route=Route("gpt", "gpt-5", "b", "openai"),
    digest="d",
    order=ReviewOrder(),
    reasons=(Reason("p", "see-first", "SEE", "REQUEST"),),
    texts=[
        Shown(PATH, "user", "text", TEXT, marks=(MARK,)),
        Shown("?q", "", "metadata", "x", fixed=True),
    ],
    attached=[Attached("/messages/0/image", "image/png", 2_048)],
)


def hold(made: House, review_id: str = "r1", **changes: Any) -> str:
    """A request that waits."""
    held = replace(HELD, **{"digest": review_id, **changes})
    assert made.reviews.open(review_id, held)
    made.reviews.publish(review_id)
    return review_id


def kinds(made: House) -> list[str]:
    return [e.kind for e in made.sink.entries if e.kind.startswith("review.")]


def test_a_program_reads_and_decides(within: Within) -> None:
    async def test(made: House) -> None:
        rita = {"headers": made.bearer("rita")}
        for number, (verb, body, state) in enumerate(
            [
                ("approve", {}, "approved"),
                ("refuse", {"words": "No."}, "refused"),
                ("edit", {"texts": {PATH: "Nobody."}}, "edited"),
            ]
        ):
            one = f"{API}/{hold(made, f'r{number}')}"
            (listed,) = (await made.client.get(API, **rita)).json()["reviews"]
            assert (listed["state"], listed["key_id"]) == ("waiting", "asks")
            shown = (await made.client.get(one, **rita)).json()
            assert shown["request"]["texts"][0]["text"] == TEXT
            assert shown["own"] is False
            answer = await made.client.post(f"{one}/{verb}", json=body, **rita)
            assert (answer.status_code, answer.json()["state"]) == (200, state)
            assert (await made.client.get(one, **rita)).json()["request"] is None
            again = await made.client.post(f"{one}/approve", json={}, **rita)
            assert again.status_code == 409
            assert kinds(made)[-2:] == ["review.read", f"review.{state}"]
        assert (await made.client.get(API, **rita)).json() == {"reviews": [], "next": None}
        ended = (await made.client.get(f"{API}?state=approved,refused", **rita)).json()
        assert {info["state"] for info in ended["reviews"]} == {"approved", "refused"}

    within(test)


@pytest.mark.parametrize(
    ("who", "listed", "status"),
    [("", 401, 401), ("wrong", 401, 401), ("user", 200, 404), ("admin", 200, 404)],
)
def test_who_sees_and_decides_nothing(within: Within, who: str, listed: int, status: int) -> None:
    async def test(made: House) -> None:
        one = f"{API}/{hold(made)}"
        headers = made.bearer(who)
        answer = await made.client.get(API, headers=headers)
        assert answer.status_code == listed
        assert "r1" not in answer.text
        assert (await made.client.get(one, headers=headers)).status_code == status
        for verb, body in (("approve", {}), ("refuse", {"words": "x"}), ("edit", {"texts": {}})):
            answer = await made.client.post(f"{one}/{verb}", json=body, headers=headers)
            assert answer.status_code == status
        assert kinds(made) == []

    within(test)


def test_nobody_decides_about_a_request_of_his_own(within: Within) -> None:
    async def test(made: House) -> None:
        who = replace(HELD.principal, key_id=made.ids["rita"])
        one = hold(made, principal=who)
        answer = await made.client.post(
            f"{API}/{one}/approve", json={}, headers=made.bearer("rita")
        )
        assert answer.status_code == 403
        await made.sign_in("rita")
        text = (await made.client.get(f"/reviews/{one}")).text
        assert "Nobody decides about a request of his own key" in text
        assert "<form" not in text.split("</header>")[1]
        answer = await made.client.post(f"/reviews/{one}", data={"do": "approve"})
        assert answer.status_code == 403

    within(test)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("approve", {"x": 1}, 400),
        ("refuse", {}, 400),
        ("refuse", {"words": " "}, 400),
        ("refuse", {"words": "x" * 2_001}, 400),
        ("edit", {"texts": {"/none": "x"}}, 400),
        ("edit", {"texts": {"?q": "y"}}, 400),
        ("edit", {"texts": {PATH: TEXT}}, 400),
        ("edit", {"texts": {PATH: 3}}, 400),
        ("burn", {}, 404),
    ],
)
def test_what_cannot_be_done_is_not_done(
    within: Within, path: str, body: dict[str, Any], status: int
) -> None:
    async def test(made: House) -> None:
        one = hold(made)
        answer = await made.client.post(
            f"{API}/{one}/{path}", json=body, headers=made.bearer("rita")
        )
        assert answer.status_code == status
        assert kinds(made) == []

    within(test)


def test_lists_go_on(within: Within) -> None:
    async def test(made: House) -> None:
        for number in range(5):
            hold(made, f"r{number}")
        found: list[str] = []
        path = f"{API}?limit=2"
        while path:
            page = (await made.client.get(path, headers=made.bearer("rita"))).json()
            found += [info["id"] for info in page["reviews"]]
            path = f"{API}?limit=2&after={page['next']}" if page["next"] else ""
        assert found == [f"r{number}" for number in range(5)]
        for bad in ("limit=0", "limit=x", "state=odd", "after=x", "odd=1"):
            answer = await made.client.get(f"{API}?{bad}", headers=made.bearer("rita"))
            assert answer.status_code == 400

    within(test)


def test_a_reviewer_sees_reviews_and_nothing_else(within: Within) -> None:
    async def test(made: House) -> None:
        hold(made)
        assert (await made.sign_in("rita")).status_code == 303
        assert (await made.client.get("/")).headers["location"] == "/reviews"
        text = (await made.client.get("/reviews")).text
        assert "see-first" in text
        assert 'href="/"' not in text
        for path in ("/admin/v1/status", "/admin/v1/exchanges"):
            assert (await made.client.get(path)).status_code == 403

    within(test)


def test_a_person_reads_what_was_found_and_decides(within: Within) -> None:
    async def test(made: House) -> None:
        hold(made)
        await made.sign_in("rita")
        page = await made.client.get("/reviews/r1")
        assert "&lt;b&gt;<mark" in page.text
        assert ">EMAIL_K7Q2MX<small>EMAIL_ADDRESS</small></mark>&lt;/b&gt;" in page.text
        assert "image/png, 2,048 bytes" in page.text
        (area,) = re.findall(
            r'name="text:[^"]+" rows="\d+">\n(.*?)</textarea>', page.text, re.DOTALL
        )
        assert html.unescape(area) == TEXT
        assert "<script" not in page.text
        assert "://" not in page.text
        form = {"do": "edit", f"text:{PATH}": TEXT.replace("\n", "\r\n")}
        answer = await made.client.post("/reviews/r1", data=form)
        assert answer.status_code == 400
        assert "Nothing is changed" in answer.text
        form = {"do": "refuse", "words": "Not so."}
        answer = await made.client.post("/reviews/r1", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/reviews?done=refused")
        assert "Refused. The caller" in (await made.client.get("/reviews?done=refused")).text
        assert "is deleted" in (await made.client.get("/reviews/r1")).text
        assert "r1" in (await made.client.get("/reviews?show=ended")).text

    within(test)


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}])
def test_forms_of_other_sites_decide_nothing(within: Within, headers: dict[str, str]) -> None:
    async def test(made: House) -> None:
        hold(made)
        await made.sign_in("rita")
        form = {"do": "approve"}
        answer = await made.client.post("/reviews/r1", data=form, headers=headers)
        assert answer.status_code == 403
        answer = await made.client.post(f"{API}/r1/approve", json={}, headers=headers)
        assert answer.status_code == 403
        assert kinds(made) == []

    within(test)


def test_without_a_record_nothing_is_read(within: Within) -> None:
    async def test(made: House) -> None:
        hold(made)
        await made.sign_in("rita")
        made.sink.full = True
        answer = await made.client.get("/reviews/r1")
        assert answer.status_code == 503
        assert "EMAIL_K7Q2MX" not in answer.text

    within(test)


def test_pages_ask_who_is_there(within: Within) -> None:
    async def test(made: House) -> None:
        hold(made)
        for path in ("/reviews", "/reviews/r1"):
            answer = await made.client.get(path)
            assert (answer.status_code, "see-first" in answer.text) == (401, False)
        assert (await made.client.post("/reviews/r1", data={"do": "approve"})).status_code == 401

    within(test)


def test_what_is_nested_too_deeply_is_no_object(within: Within) -> None:
    async def test(made: House) -> None:
        answer = await made.client.post(
            f"{API}/{hold(made)}/approve", content=b"[" * 100_000, headers=made.bearer("rita")
        )
        assert answer.status_code == 400

    within(test)
