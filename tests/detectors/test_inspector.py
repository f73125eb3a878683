from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.core.ports import Window
from gateway.detectors._inspector import PooledInspector, build_inspector

pytestmark = pytest.mark.usefixtures("fake_installed")
Test = Callable[[PooledInspector], Awaitable[None]]


def use(test: Test, cache_dir: Path, enabled: Any = None, **settings: Any) -> None:
    async def main() -> None:
        enabled_ = enabled or {"fake": {}, "patterns": {}}
        inspector = build_inspector(enabled_, cache_dir=cache_dir, **settings)
        assert not inspector.ready
        assert inspector.problem == "not started"
        await inspector.start()
        try:
            assert inspector.ready
            assert inspector.problem == ""
            await test(inspector)
        finally:
            await inspector.aclose()
        assert not inspector.ready

    asyncio.run(main())


def fire(start: int) -> Finding:
    return Finding("fake", "FIRE", start, start + 4, 0.5)


def test_findings_are_those_that_end_in_the_own_stretch(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        text = "fire fire fire"
        windows = [Window(text, 0, 14), Window(text, 4, 9), Window(text, 5, 8), Window(text, 7, 14)]
        found = await inspector.inspect(windows, ["fake"])
        assert found == [[fire(0), fire(5), fire(10)], [fire(5)], [], [fire(5), fire(10)]]

    use(test, cache_dir)


def test_what_is_too_faint_stays_in_the_worker(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        assert await inspector.inspect([Window("fire", 0, 4)], ["fake"]) == [[]]

    use(test, cache_dir, {"fake": {"least": 0.6}})


def test_a_text_in_which_nothing_fires_stays_here(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        await inspector._pool.aclose()
        assert await inspector.inspect([Window("all is well", 0, 11)], ["fake"]) == [[]]
        assert inspector.memory.used_bytes == 0

    use(test, cache_dir)


def test_only_detectors_that_were_asked_for_look(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        window = Window("fire", 0, 4)
        assert await inspector.inspect([window], ["patterns"]) == [[]]
        assert await inspector.inspect([window], ["fake", "unheard"]) == [[fire(0)]]
        assert inspector.locate("fire", ["patterns"]) == []
        assert inspector.locate("a fire", ["fake"]) == [6]

    use(test, cache_dir)


def test_the_same_window_is_judged_once(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        window = Window("fire", 0, 4)
        first = await inspector.inspect([window], ["fake"])
        await inspector._pool.aclose()
        assert await inspector.inspect([window, window], ["fake"]) == first * 2
        assert inspector.memory.hits == 2

    use(test, cache_dir)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("fire raise", "RuntimeError"),
        ("fire nonsense", "answer"),
        ("fire die", "died"),
        ("fire sleep", "late"),
    ],
)
def test_a_failure_is_a_finding_and_is_not_remembered(
    cache_dir: Path, text: str, note: str
) -> None:
    async def test(inspector: PooledInspector) -> None:
        window = Window(text, 2, len(text))
        found = await inspector.inspect([window], ["fake"])
        assert found == [[Finding("fake", DETECTOR_ERROR, 2, len(text), 1.0, note)]]
        assert inspector.memory.used_bytes == 0

    use(test, cache_dir, deadline_s=0.4)


def test_a_late_model_does_not_spoil_the_rest(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        assert inspector.everywhere(["fake", "patterns"])
        assert not inspector.everywhere(["patterns"])
        text = "sleep AKIAQ3EGUZHLWQRT2B7C"
        (found,) = await inspector.inspect([Window(text, 0, len(text))], ["fake", "patterns"])
        assert [(f.detector, f.category) for f in found] == [
            ("fake", DETECTOR_ERROR),
            ("patterns", "AWS_ACCESS_KEY"),
        ]

    use(test, cache_dir, {"fake": {"model": True}, "patterns": {}}, deadline_s=0.4)


@pytest.mark.parametrize("model", [False, True])
def test_what_is_encoded_is_found_in_the_text_as_written(cache_dir: Path, model: bool) -> None:
    async def test(inspector: PooledInspector) -> None:
        text = "f&#105;re fi\u200bre f%69re"
        windows = [Window(text, 0, 22), Window(text, 9, 15), Window(text, 10, 14)]
        spans = [[(0, 9), (10, 15), (16, 22)], [(10, 15)], []]
        for _ in range(2):
            found = await inspector.inspect(windows, ["fake"])
            assert [[(f.start, f.end) for f in each] for each in found] == spans
        assert inspector.memory.hits == 3
        if not model:
            assert inspector.locate("f&#105;re", ["fake"])[-1] == 9

    use(test, cache_dir, {"fake": {"model": model}})


def test_a_detector_that_fails_on_both_readings_fails_once(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        window = Window("fire f&#105;re raise", 0, 20)
        (found,) = await inspector.inspect([window], ["fake"])
        assert found == [Finding("fake", DETECTOR_ERROR, 0, 20, 1.0, "RuntimeError")]

    use(test, cache_dir)


def test_half_a_surrogate_pair_does_no_harm(cache_dir: Path) -> None:
    async def test(inspector: PooledInspector) -> None:
        text = "\ud800 fire \udfff"
        assert await inspector.inspect([Window(text, 0, 8)], ["fake"]) == [[fire(2)]]

    use(test, cache_dir)


def test_detectors_are_described_for_the_log(cache_dir: Path) -> None:
    one = build_inspector({"patterns": {}}, cache_dir=cache_dir).describe()
    two = build_inspector({"patterns": {"without": ["jwt"]}}, cache_dir=cache_dir).describe()
    assert one[0].name == "patterns"
    assert "JWT" in one[0].categories
    assert one[0].config != two[0].config


def test_an_unknown_detector_is_refused_before_the_start(cache_dir: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'patterns'"):
        build_inspector({"paterns": {}}, cache_dir=cache_dir)


def test_the_gateway_process_imports_no_model_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, gateway.detectors._inspector as i, pathlib; "
        "enabled = {'pii': {}, 'names': {}, 'names_spacy': {}, 'patterns': {}};"
        "i.build_inspector(enabled, cache_dir=pathlib.Path('.'));"
        "sys.exit(bool({'spacy', 'presidio_analyzer', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("unsure", "told"), [(0.4, True), (0.55, False)])
def test_what_is_faint_is_told_and_marked_where_somebody_is_unsure(
    unsure: float, told: bool, cache_dir: Path
) -> None:
    async def test(inspector: PooledInspector) -> None:
        (found,) = await inspector.inspect([Window("fire", 0, 4)], ["fake"])
        assert found == ([replace(fire(0), faint=True)] if told else [])

    use(test, cache_dir, {"fake": {"least": 0.6}}, unsure={"fake": unsure})
