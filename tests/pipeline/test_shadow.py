"""A shadow bundle is asked and never obeyed, whatever it says and whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from gateway.core.judgement import Finding
from gateway.core.ports import Chosen, Window
from gateway.pipeline.house import House
from tests.pipeline.fakes import (
    KEY,
    SAMPLES,
    Asked,
    Backend,
    Bundle,
    Inspector,
    Sink,
    ask,
    ask_async,
    chat,
    house,
)

LIVE = {"EMAIL_ADDRESS": "redact"}
SAID = "to bob@example.com, key-0a1b2c3d"
SHADOWS: dict[str, dict[str, str]] = {
    "none of it": {},
    "all of it": {"EMAIL_ADDRESS": "block", "KEY": "block", "REQUEST": "block"},
    "the other detector": {"OTHER": "block"},
}


class Two(Inspector):
    """A second detector that sees keys, or breaks."""

    detectors: Mapping[str, frozenset[str]] = {
        **Inspector.detectors,
        "second": frozenset({"OTHER"}),
    }

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.fails = fails
        self.asked: list[tuple[str, ...]] = []

    async def inspect(
        self, windows: Sequence[Window], detectors: Collection[str], **_limits: float
    ) -> list[list[Finding]]:
        self.asked.append(tuple(detectors))
        if "second" not in detectors:
            return await super().inspect(windows, detectors)
        await asyncio.sleep(0)
        if self.fails:
            return [
                [Finding("second", "DETECTOR_ERROR", w.own_start, w.own_end, 1.0, "died")]
                for w in windows
            ]
        return [
            [Finding("second", "OTHER", m.start(), m.end(), 0.7) for m in KEY.finditer(w.text)]
            for w in windows
        ]


class Broken(Bundle):
    """Cannot be asked."""

    def bind(self, context: object) -> Bundle:
        raise ZeroDivisionError


def asked(
    shadow: Bundle | None, sample: str = "", **parts: Any
) -> tuple[Asked, dict[str, Any], House]:
    """One exchange; its closing entry once all that goes on afterwards is over."""
    data, kind = SAMPLES[sample or next(iter(SAMPLES))]
    sink, live = Sink(), Bundle(LIVE)
    pieces = [data[i : i + 200] for i in range(0, len(data), 200)]
    made = house(
        Backend(*pieces, kind=kind),
        live,
        sink=sink,
        **{"bundle": lambda who, said: Chosen(live, shadow), "inspector": Two(), **parts},
    )

    async def main() -> Asked:
        found = await ask_async(made, chat(SAID))
        await made.later.aclose()
        return found

    return asyncio.run(main()), sink.closed, made


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("rules", SHADOWS)
@pytest.mark.parametrize("sample", [*SAMPLES][::6])
def test_the_answer_is_as_without_it(sample: str, rules: str, fails: bool) -> None:
    plain, before, _ = asked(None, sample)
    shadowed, after, _ = asked(Bundle(SHADOWS[rules]), sample, inspector=Two(fails=fails))
    assert (shadowed.status, shadowed.body) == (plain.status, plain.body)
    assert after["outcome"] == before["outcome"]
    assert after["request"]["effects"] == before["request"]["effects"]
    assert after["request"]["digest"] == before["request"]["digest"]
    assert len(after["shadow"]) == 1


def test_how_it_differs_is_on_record_and_counted() -> None:
    _, closed, made = asked(Bundle(SHADOWS["all of it"]))
    (told,) = closed["shadow"]
    assert (told["flip"], told["rules"]) == ("newly_blocked", ["test/r"])
    assert made.counters.values == {
        f'policy_shadow_total{{bundle="{"d" * 12}",live="redact",shadow="block"}}': 1
    }
    _, closed, _ = asked(Bundle({"EMAIL_ADDRESS": "flag"}))
    (told,) = closed["shadow"]
    assert told["flip"] == "changed"
    assert ["request", "flag", "test/r", 1] in told["more"]
    assert ["request", "redact", "test/r", 1] in told["less"]
    _, closed, _ = asked(Bundle(LIVE))
    assert closed["shadow"] == [{"digest": "d" * 64, "revision": "test@1", "flip": "same"}]


def test_detectors_that_only_it_listens_to_look_when_the_text_has_gone() -> None:
    inspector = Two()
    _, closed, _ = asked(Bundle({"OTHER": "block"}), inspector=inspector)
    assert ("second",) in inspector.asked
    assert all(names in (("fake",), ("second",)) for names in inspector.asked)
    assert closed["request"]["activation"]["detectors"] == ["fake", "second"]
    (seen,) = [s for s in closed["request"]["activation"]["seen"] if s[0] == "second"]
    assert seen == ["second", "OTHER", 700, "", "user", "text", "beside", 1]
    (told,) = closed["shadow"]
    assert (told["flip"], "unheard" in told) == ("newly_blocked", False)


def test_a_detector_that_fails_for_it_alone_is_its_own_affair() -> None:
    _, closed, _ = asked(Bundle({"OTHER": "flag"}), inspector=Two(fails=True))
    assert (closed["outcome"], closed["shadow"][0]["flip"]) == ("completed", "newly_blocked")
    _, closed, _ = asked(Bundle({}), inspector=Two(fails=True))
    assert closed["shadow"][0]["flip"] == "changed"


def test_a_shadow_that_cannot_be_asked_costs_no_exchange() -> None:
    found, closed, made = asked(Broken({}))
    plain, before, _ = asked(None)
    assert (found.body, closed["outcome"]) == (plain.body, before["outcome"])
    assert "shadow" not in closed
    assert made.counters.values["shadow_failed_total"] == 3


def test_who_is_to_know_is_told_whether_it_was_blocked() -> None:
    for rules, blocked in (({"REQUEST": "block"}, True), ({}, False)):
        told: list[bool] = []
        live = Bundle(rules)
        choice = Chosen(live, None, told.append)
        sink = Sink()
        ask(house(Backend(b"{}"), live, sink=sink, bundle=lambda *_, c=choice: c), chat())
        assert told == [blocked]
    ask(house(Backend(b"{}"), live, sink=sink, bundle=lambda *_: choice), b"{")
    assert told == [False]
