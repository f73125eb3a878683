from __future__ import annotations

import json

import pytest

from benchmarks.load import check, percentile_ms
from benchmarks.mock_upstream import checked
from benchmarks.texts import MAIL_DOMAIN, Texts, with_luhn
from benchmarks.workloads import all_workloads


def test_same_seed_gives_the_same_texts_and_none_twice() -> None:
    one, other = Texts("7"), Texts("7")
    texts = [one.clean(2_000) for _ in range(50)]
    assert texts == [other.clean(2_000) for _ in range(50)]
    assert len(set(texts)) == 50


def test_one_sentence_in_twenty_is_personal() -> None:
    text = Texts("7").mixed(400_000)
    assert 0.04 < text.count("with the office.") / text.count(". ") < 0.06
    assert MAIL_DOMAIN in text
    assert MAIL_DOMAIN not in Texts("7").clean(400_000)


def test_card_numbers_carry_their_check_digit() -> None:
    assert with_luhn("411111111111111") == "4111111111111111"


@pytest.mark.parametrize("name", ["small", "large", "clean", "stream", "paced"])
def test_requests_of_a_workload_are_all_new(name: str) -> None:
    workload, texts = all_workloads()[name], Texts("7")
    bodies = [json.loads(workload.body(texts, 0)) for _ in range(10)]
    contents = [m["content"] for body in bodies for m in body["messages"]]
    assert len(set(contents)) == len(contents)


def test_turns_send_the_same_conversation_with_one_new_message() -> None:
    workload, texts = all_workloads()["turns"], Texts("7")
    first, second = (json.loads(workload.body(texts, 0))["messages"] for _ in range(2))
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]


def test_changed_answer_is_an_error() -> None:
    def answer(text: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}}]}).encode()

    small, text = all_workloads()["small"], " ".join(checked(["able", "about"]))
    assert check(small, 200, answer(text)) == ""
    assert check(small, 200, answer(text.replace("about", "above"))) == "text changed"
    assert check(small, 200, answer("able")) == "text changed"
    assert check(small, 200, b"{}") == "not a completion"
    assert check(small, 503, answer(text)) == "status 503"


@pytest.mark.parametrize("name", [n for n in all_workloads() if n.startswith("stream")])
def test_changed_stream_is_an_error(name: str) -> None:
    workload = all_workloads()[name]
    words = [word + " " for word in checked(["able"] * (workload.chunks - 3))]
    events = list(workload.api.tell(words))
    assert check(workload, 200, b"".join(events)) == ""
    assert check(workload, 200, b"".join(events[:-1])) == "events missing"
    other = b"".join(events).replace(b"able ", b"oven ", 1)
    assert check(workload, 200, other) == "text changed"


def test_percentile_is_the_nearest_rank() -> None:
    assert percentile_ms([0.001, 0.002, 0.003, 0.004], 0.5) == 2.0
    assert percentile_ms([], 0.5) is None
