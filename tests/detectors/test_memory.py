from __future__ import annotations

from gateway.core.judgement import Finding
from gateway.core.ports import Window
from gateway.detectors._memory import Memory

FOUND = (Finding("d", "C", 0, 1, 1.0),)


def test_windows_differ_by_text_stretch_and_detectors() -> None:
    memory = Memory(10_000)
    windows = [Window("ab", 0, 2), Window("ab", 1, 2), Window("ac", 0, 2)]
    keys = {memory.key(w, d) for w in windows for d in ("x", "y")}
    assert len(keys) == 6


def test_keys_mean_nothing_to_another_process() -> None:
    window = Window("ab", 0, 2)
    assert Memory(1).key(window, "x") != Memory(1).key(window, "x")


def test_the_least_recently_used_is_forgotten_first() -> None:
    memory = Memory(1_200)
    memory.put(b"1", FOUND)
    memory.put(b"2", FOUND)
    memory.get(b"1")
    memory.put(b"3", FOUND)
    assert (memory.get(b"1"), memory.get(b"2"), memory.get(b"3")) == (FOUND, None, FOUND)
    assert memory.used_bytes <= 1_200


def test_the_limit_holds_and_text_is_not_kept() -> None:
    memory = Memory(20_000)
    for number in range(1_000):
        memory.put(memory.key(Window(f"text {number}", 0, 6), "x"), FOUND * (number % 5))
    assert memory.used_bytes <= 20_000
    assert b"text" not in b"".join(memory._entries)
