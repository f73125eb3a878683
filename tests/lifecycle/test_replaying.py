"""A replay of the log counts what a shadow counted live, on the same traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from gateway.core.differing import Flip, of_record
from gateway.core.ports import Chosen
from gateway.lifecycle.replaying import Counts, replay
from tests.core.test_rejudging import read_back
from tests.pipeline.fakes import ACTIONS, SAMPLES, Backend, Bundle, Sink, ask_async, chat, house
from tests.pipeline.test_shadow import Two

LIVE = {"EMAIL_ADDRESS": "redact", "KEY": "flag"}
STRICT = {**LIVE, "KEY": "block"}
SAID = ["hi", "to bob@example.com", "my key-0a1b2c3d", "bob@example.com has key-0a1b2c3d"]
# what is in force, the candidate, and a flip that comes of it
CASES: dict[str, tuple[dict[str, str], dict[str, str], Flip]] = {
    "the same": (LIVE, LIVE, Flip.SAME),
    "nothing": (LIVE, {}, Flip.CHANGED),
    "stricter": (LIVE, STRICT, Flip.NEWLY_BLOCKED),
    "milder": (STRICT, LIVE, Flip.NO_LONGER_BLOCKED),
    "another detector": (LIVE, {**LIVE, "OTHER": "block"}, Flip.NEWLY_BLOCKED),
    "each request": (LIVE, {"REQUEST": "block"}, Flip.NEWLY_BLOCKED),
    "each answer": (STRICT, {**STRICT, "ANSWER": "label"}, Flip.CHANGED),
}
KNOWN = [Two.detectors]


def traffic(live: Mapping[str, str], shadow: Bundle | None) -> list[dict[str, Any]]:
    """The closing entries of each text with each kind of answer, as they are read from the log."""
    sink, bundle = Sink(), Bundle(live)

    async def main() -> None:
        for data, kind in [*SAMPLES.values()][::6]:
            made = house(
                Backend(data, kind=kind),
                bundle,
                sink=sink,
                inspector=Two(),
                bundle=lambda who, parts: Chosen(bundle, shadow),
            )
            for said in SAID:
                await ask_async(made, chat(said))
            await made.later.aclose()

    asyncio.run(main())
    return [read_back(entry) for entry in sink.entries if entry.kind == "exchange.closed"]


def told(entries: Iterable[Mapping[str, Any]]) -> Counts:
    """What the shadow put on record, counted."""
    counts = Counts()
    for entry in entries:
        for said in entry["data"]["shadow"]:
            counts.add(of_record(said), entry["application"])
            counts.unheard += bool(said.get("unheard"))
    return counts


@pytest.mark.parametrize("case", CASES)
def test_a_replay_counts_what_the_shadow_counted(case: str) -> None:
    in_force, rules, flip = CASES[case]
    candidate = Bundle(rules)
    entries = traffic(in_force, candidate)
    live, again = told(entries), replay(entries, candidate, ACTIONS, KNOWN)
    assert len(entries) == again.judged > 10
    assert (again.flips, again.rows, again.unheard) == (live.flips, live.rows, 0)
    assert again.flips[flip] > 0
    assert (flip is Flip.SAME) == (again.flips[Flip.SAME] == again.judged)


def test_of_detectors_that_did_not_look_it_is_told() -> None:
    entries = traffic(LIVE, None)
    again = replay(entries, Bundle({"OTHER": "block"}), ACTIONS, KNOWN)
    assert again.unheard == again.silent["second"] == again.judged


def test_two_bundles_are_asked_about_the_same() -> None:
    entries = traffic(LIVE, None)
    strict, mild = Bundle({"EMAIL_ADDRESS": "block"}), Bundle({"EMAIL_ADDRESS": "redact"})
    there = replay(entries, strict, ACTIONS, KNOWN, against=mild)
    back = replay(entries, mild, ACTIONS, KNOWN, against=strict)
    assert there.flips[Flip.NEWLY_BLOCKED] == back.flips[Flip.NO_LONGER_BLOCKED] > 0
    same = replay(entries, mild, ACTIONS, KNOWN, against=mild)
    assert same.flips == {Flip.SAME: len(entries)}


def test_what_left_nothing_to_judge_is_skipped_and_counted() -> None:
    entries = traffic(LIVE, None)[:3]
    for side in ("request", "response"):
        entries[0]["data"][side].pop("activation", None)
    entries[1]["data"]["request"]["activation"]["cut"] = 2
    again = replay(entries, Bundle(LIVE), ACTIONS, KNOWN)
    assert (again.judged, again.skipped, again.cut) == (2, 1, 1)
    assert replay([], Bundle(LIVE), ACTIONS, KNOWN).newly_blocked == 0
