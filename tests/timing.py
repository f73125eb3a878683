"""How the cost of a piece of code grows, told apart from what else a machine is busy with.

What is measured is the CPU time of the calling thread, the least of several rounds, for a neighbour
on the processor and a collection of garbage only ever add to it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ROUNDS = 7
# Below this there is nothing to compare.
NEGLIGIBLE_S = 0.02


def least_s(work: Callable[[], object], *, rounds: int = ROUNDS, enough_s: float = 0.0) -> float:
    """The least of `rounds`, or the first one that is no longer than `enough_s`."""
    best = float("inf")
    for _ in range(rounds):
        collecting = gc.isenabled()
        gc.disable()
        try:
            began = time.thread_time()
            work()
            best = min(best, time.thread_time() - began)
        finally:
            if collecting:
                gc.enable()
        if best <= enough_s:
            break
    return best


def assert_linear(work: Callable[[int], object], small: int, large: int) -> None:
    """That `work` of `large` takes about as many times as long as it is larger than `small`.

    The bound lies in the middle between linear and quadratic: for ten times as much, 32 times.
    """
    if least_s(lambda: work(large), rounds=1) <= NEGLIGIBLE_S:
        return
    small_s = least_s(lambda: work(small))
    bound_s = max(NEGLIGIBLE_S, small_s * (large / small) ** 1.5)
    large_s = least_s(lambda: work(large), enough_s=bound_s)
    assert large_s <= bound_s, f"{small}: {small_s * 1e3:.1f} ms, {large}: {large_s * 1e3:.1f} ms"
