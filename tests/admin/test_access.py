"""Who gets in, by key and by session, and who does not."""

import pytest

from gateway.admin.session import COOKIE, MAX_FAILURES, SESSION_S, WINDOW_S
from tests.admin.house import URL, House, Within

GUARDED = ["/admin/v1/status", "/admin/v1/exchanges", "/admin/v1/exchanges/00000000-none"]
OPEN = ["/livez", "/readyz", "/metrics"]


def test_matrix_of_keys_and_paths(within: Within) -> None:
    expected = {"": 401, "wrong": 401, "user": 403, "auditor": 200, "admin": 200}

    async def test(made: House) -> None:
        for path in GUARDED:
            for who, status in expected.items():
                answer = await made.client.get(path, headers=made.bearer(who))
                missing = path.endswith("none") and status == 200
                assert answer.status_code == (404 if missing else status), (path, who)
                assert "message" not in answer.json() or status != 200
        for path in OPEN:
            assert (await made.client.get(path)).status_code == 200

    within(test)


def test_revoked_and_expired_keys_stay_outside(within: Within) -> None:
    async def test(made: House) -> None:
        soon = made.clock.now_ms() + 1_000
        _, made.keys["brief"] = made.store.new("brief", roles=["admin"], expires_ms=soon)
        made.store.revoke(made.ids["admin"])
        made.clock.ahead_ms = 2_000
        for who in ("brief", "admin"):
            answer = await made.client.get(GUARDED[0], headers=made.bearer(who))
            assert answer.status_code == 401

    within(test)


def test_session_opens_what_the_key_opens(within: Within) -> None:
    async def test(made: House) -> None:
        answer = await made.sign_in()
        assert answer.status_code == 303
        for word in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={SESSION_S}"):
            assert word in answer.headers["set-cookie"]
        assert made.keys["auditor"].split("_", 2)[2] not in answer.headers["set-cookie"]
        assert (await made.client.get(GUARDED[0])).status_code == 200
        await made.client.post("/logout")
        assert (await made.client.get(GUARDED[0])).status_code == 401

    within(test)


@pytest.mark.parametrize("who", ["wrong", "user"])
def test_no_session_without_the_role(within: Within, who: str) -> None:
    async def test(made: House) -> None:
        answer = await made.sign_in(who)
        assert answer.status_code in (401, 403)
        assert "set-cookie" not in answer.headers
        assert made.keys[who] not in answer.text

    within(test)


def test_sessions_end_with_time_and_with_their_key(within: Within) -> None:
    async def test(made: House) -> None:
        await made.sign_in("auditor")
        made.store.revoke(made.ids["auditor"])
        assert (await made.client.get(GUARDED[0])).status_code == 401
        await made.sign_in("admin")
        assert (await made.client.get(GUARDED[0])).status_code == 200
        made.clock.ahead_ms = SESSION_S * 1_000 + 1
        assert (await made.client.get(GUARDED[0])).status_code == 401

    within(test)


def test_changed_session_is_none(within: Within) -> None:
    async def test(made: House) -> None:
        await made.sign_in()
        value = made.client.cookies[COOKIE]
        for bad in ("", ".", "x", value[:-2], value[1:], value.replace(".", "x."), "é.é"):
            headers = {"cookie": f"{COOKIE}={bad}".encode()}
            made.client.cookies.clear()
            assert (await made.client.get(GUARDED[0], headers=headers)).status_code == 401

    within(test)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": URL}, 303),
        ({"origin": URL, "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(
    within: Within, headers: dict[str, str], status: int
) -> None:
    async def test(made: House) -> None:
        form = {"key": made.keys["admin"]}
        answer = await made.client.post("/login", data=form, headers=headers)
        assert answer.status_code == status
        assert (await made.client.post("/logout", headers=headers)).status_code == status

    within(test)


def test_guessing_is_slowed_down(within: Within) -> None:
    async def test(made: House) -> None:
        for _ in range(MAX_FAILURES):
            assert (await made.sign_in("wrong")).status_code == 401
        assert (await made.sign_in("wrong")).status_code == 429
        answer = await made.client.get(GUARDED[0], headers={"authorization": "Bearer gw_wrong"})
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S
        # A key that is valid is no guess: nobody is kept out by another's.
        assert (await made.client.get(GUARDED[0], headers=made.bearer("admin"))).is_success
        made.clock.ahead_ms = WINDOW_S * 1_000
        assert (await made.sign_in("wrong")).status_code == 401

    # Each miss would wait for another look at the database.
    import gateway.identity.keys as keys

    pause, keys.MISS_PAUSE_S = keys.MISS_PAUSE_S, 0.0
    try:
        within(test)
    finally:
        keys.MISS_PAUSE_S = pause


def test_large_form_is_not_read(within: Within) -> None:
    async def test(made: House) -> None:
        answer = await made.client.post("/login", data={"key": "x" * 5_000})
        assert answer.status_code == 413

    within(test)


def test_form_of_many_fields_is_refused(within: Within) -> None:
    async def test(made: House) -> None:
        answer = await made.client.post("/login", data={f"field{n}": "x" for n in range(9)})
        assert answer.status_code == 413

    within(test)
