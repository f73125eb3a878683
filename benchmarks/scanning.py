"""What looking for patterns and secrets costs, on texts that are new each time.

    python -m benchmarks.scanning

CPU milliseconds of one text, median: `look` is what the gateway does with all text it is sent
(read it as it says, and run all triggers over it), `cut` and `windows` make segments of it,
`ask` finds out which windows hold what, `confirm` runs the recognisers on those. The last is
done in another process.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.texts import Texts
from gateway.core.ports import Detector, Window
from gateway.core.segments import cut
from gateway.core.windows import windows
from gateway.detectors import create
from gateway.detectors._jobs import Task, perform
from gateway.detectors._locator import Locator
from gateway.detectors._questions import Question, ask, fired, tasks

NAMES = ("patterns", "pii")
SIZES = {2_000: 200, 40_000: 20}


def main() -> None:
    """Prints one line of JSON for each kind of text and size."""
    members = {detector.name: detector for detector in create({name: {} for name in NAMES})}
    triggers = {name: detector.load() or () for name, detector in members.items()}
    with tempfile.TemporaryDirectory() as folder:
        locator = Locator(triggers, Path(folder))
    texts = Texts("scanning")
    kinds: dict[str, Callable[[int], str]] = {
        "clean": texts.clean,
        "mixed": texts.mixed,
        "mixed, Latin-1": lambda chars: texts.mixed(chars).replace("the ", "dé "),
    }
    for kind, make in kinds.items():
        for chars, count in SIZES.items():
            made = [make(chars) for _ in range(count)]
            row = {"texts": kind, "chars": chars, **_costs(made, members, locator)}
            print(json.dumps(row))


def _costs(
    made: Sequence[str], members: Mapping[str, Detector], locator: Locator
) -> dict[str, float]:
    ends = [cut(text, final=True) for text in made]
    cuttings = [windows(text, 0, e) for text, e in zip(made, ends, strict=True)]
    jobs = [_jobs(pieces, locator) for pieces in cuttings]
    return {
        "look": _cpu_ms(lambda i: locator.locate(made[i], NAMES), len(made)),
        "cut": _cpu_ms(lambda i: cut(made[i], final=True), len(made)),
        "windows": _cpu_ms(lambda i: windows(made[i], 0, ends[i]), len(made)),
        "ask": _cpu_ms(lambda i: fired(cuttings[i], NAMES, locator), len(made)),
        "confirm": _cpu_ms(lambda i: perform(members, jobs[i]), len(made)),
    }


def _jobs(pieces: Sequence[Window], locator: Locator) -> list[Task]:
    questions: dict[str, list[Question]] = {}
    for index, (window, hit) in enumerate(zip(pieces, fired(pieces, NAMES, locator), strict=True)):
        ask(questions, index, window, found=hit, models=())
    return tasks(questions)


def _cpu_ms(work: Callable[[int], object], count: int) -> float:
    took = []
    for i in range(count):
        before = time.process_time_ns()
        work(i)
        took.append(time.process_time_ns() - before)
    return round(statistics.median(took) / 1e6, 3)


if __name__ == "__main__":
    main()
