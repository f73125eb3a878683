"""Under a policy that changes nothing, nothing changes."""

from __future__ import annotations

import pytest

from tests.pipeline.fakes import (
    REQUESTS,
    SAMPLES,
    Backend,
    Bundle,
    answered,
    ask,
    chat,
    cuts,
    heard,
    house,
)

QUIET = {"EMAIL_ADDRESS": "flag", "KEY": "label"}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("rules", [{}, QUIET])
def test_the_upstream_gets_the_bytes_the_client_sent(name: str, rules: dict[str, str]) -> None:
    backend = Backend(b"{}")
    asked = ask(house(backend, Bundle(rules)), REQUESTS[name])
    assert backend.bodies == [REQUESTS[name]]
    assert asked.exchange.request.coverage.judged_chars > 0


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("rules", [{}, QUIET])
def test_the_client_gets_the_bytes_the_upstream_sent(name: str, rules: dict[str, str]) -> None:
    data, kind = SAMPLES[name]
    for cut in cuts(len(data)):
        assert answered(data, kind, Bundle(rules), *cut).body == data


def test_a_value_that_is_not_there_changes_no_byte_under_a_redacting_policy() -> None:
    for data, kind in SAMPLES.values():
        data = data.replace(b"@", b"_").replace(b"key-", b"kex-")
        rules = {"EMAIL_ADDRESS": "redact", "KEY": "block"}
        assert answered(data, kind, Bundle(rules)).body == data


def test_an_edited_answer_keeps_every_other_byte() -> None:
    for name in ("openai_text.json", "llamacpp_text.json", "azure_text.sse"):
        data, kind = SAMPLES[name]
        out = answered(data, kind, Bundle({"EMAIL_ADDRESS": "redact"})).body
        if name.endswith(".json"):
            assert out == data.replace(b"alice.smith@example.com", b"[EMAIL_ADDRESS]")
        else:
            assert heard(out)["0/content"] == "Mail [EMAIL_ADDRESS] today"
            expected = data.replace(b"alice.smi", b"[EMAIL_ADDRESS]").replace(
                b"th@example.com", b""
            )
            assert out == expected


@pytest.mark.parametrize("early", [1, 2, 7])
@pytest.mark.parametrize("name", SAMPLES)
def test_what_comes_behind_an_end_that_a_backend_told_too_early_is_passed_on(
    name: str, early: int
) -> None:
    data, kind = SAMPLES[name]
    pieces = [data[at : at + 40] for at in range(0, len(data), 40)]
    backend = Backend(*pieces, kind=kind, tells_end=True, early=early)
    asked = ask(house(backend, Bundle(QUIET)), chat(stream="event" in kind))
    assert asked.body == data
