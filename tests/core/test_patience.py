from __future__ import annotations

import pytest

from gateway.core import patience
from gateway.core.apis import Answer
from gateway.core.errors import CircuitOpen, UpstreamError, UpstreamTimeout

NOW_MS = 1_760_000_000_000  # Thu, 09 Oct 2025 08:53:20 GMT


def answer(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, None, None)  # type: ignore[arg-type]


# (what came back, whether it is asked again, whether another may be asked)
RESULTS = [
    (answer(200), False, False),
    (answer(400), False, False),
    (answer(404), False, False),
    (answer(408), False, False),
    (answer(408, x_should_retry="true"), True, False),
    (answer(409, x_should_retry="true"), False, False),
    (answer(429), False, True),
    (answer(429, x_should_retry="true"), False, True),
    (answer(500), False, True),
    (answer(500, x_should_retry=" True"), True, True),
    (answer(501), False, True),
    *((answer(status), True, True) for status in (502, 503, 504, 529)),
    (answer(503, x_should_retry="false"), False, True),
    (answer(503, x_should_retry="False "), False, True),
    (UpstreamError("reset", unanswered=True), True, True),
    (UpstreamError("redirected"), False, True),
    (UpstreamTimeout("no connection", unanswered=True), True, True),
    (UpstreamTimeout("no head"), False, True),
    (CircuitOpen("open", retry_after_s=9), False, True),
]


@pytest.mark.parametrize(("result", "again", "elsewhere"), RESULTS)
def test_what_is_worth_another_call(result: patience.Result, again: bool, elsewhere: bool) -> None:
    assert (patience.worth_another(result), patience.failed(result)) == (again, elsewhere)


# (what the upstream asks for, the wait before the first retry without chance)
WAITS: list[tuple[dict[str, str], float | None]] = [
    ({}, 0.5),
    ({"retry_after": "2"}, 2.0),
    ({"retry_after": "0"}, 0.0),
    ({"retry_after": "7", "retry_after_ms": "30"}, 0.03),
    ({"retry_after": "8"}, 8.0),
    ({"retry_after": "9"}, None),
    ({"retry_after_ms": "8001"}, None),
    ({"retry_after": "Thu, 09 Oct 2025 08:53:23 GMT"}, 3.0),
    ({"retry_after": "Thu, 09 Oct 2025 08:53:23 -0000"}, 3.0),
    ({"retry_after": "Thu, 09 Oct 2025 08:00:00 GMT"}, 0.0),
    ({"retry_after": "Thu, 09 Oct 2025 09:53:20 GMT"}, None),
    ({"retry_after": "Mon, 99 Abc 2025 08:00:00 GMT"}, 0.5),
    ({"retry_after": "soon"}, 0.5),
    ({"retry_after": "-1"}, 0.5),
    ({"retry_after": "nan", "retry_after_ms": "inf"}, 0.5),
    ({"retry_after": "1e9"}, 0.5),
    ({"retry_after": "9" * 400}, 0.5),
]


@pytest.mark.parametrize(("headers", "wait_s"), WAITS)
def test_an_upstreams_own_wait_counts_up_to_a_bound(
    headers: dict[str, str], wait_s: float | None
) -> None:
    assert patience.wait_s(answer(503, **headers), 0, now_ms=NOW_MS, chance=0.0) == wait_s


def test_waits_double_up_to_a_bound_and_differ_by_chance() -> None:
    error = UpstreamError("reset", unanswered=True)
    waits = [patience.wait_s(error, n, now_ms=NOW_MS, chance=0.0) for n in range(6)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert patience.wait_s(error, 1, now_ms=NOW_MS, chance=1.0) == 0.5


@pytest.mark.parametrize(
    ("count", "repeats"), [(None, False), ("0", False), ("1", True), ("12", True), ("x", True)]
)
def test_a_client_that_repeats_itself_is_known_by_its_count(
    count: str | None, repeats: bool
) -> None:
    headers = {} if count is None else {"x-stainless-retry-count": count}
    assert patience.client_repeats(headers) is repeats
