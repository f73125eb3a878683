"""What fuzz tests share: how many inputs they try, a count of those, and odd JSON.

`FUZZ_EXAMPLES` sets the number of inputs for each test and member; the default keeps the suite
quick. How many were tried is told at the end of a run.
"""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

MAIL = "alice.smith@example.com"
LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
TRIED: Counter[str] = Counter()

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


# For tests whose inputs cost more than most.
few = settings(bounded, max_examples=EXAMPLES if LONG else 4)


def fuzzed(test: Callable[..., Any], how: settings = bounded) -> Callable[..., Any]:
    """A `given` test with that many inputs, which are counted."""
    inner = test.hypothesis.inner_test  # type: ignore[attr-defined]

    @functools.wraps(inner)
    def counted(*args: Any, **values: Any) -> Any:
        TRIED[inner.__module__] += 1
        return inner(*args, **values)

    test.hypothesis.inner_test = counted  # type: ignore[attr-defined]
    return how(test)


odd_texts = st.sampled_from(
    [
        "",
        MAIL,
        f"x{MAIL}\u200b",
        "\x00",
        "\u2028",
        "\U0001f600" * 3,
        "a" * 5_000,
        "data:,",
        "!",
        "~",
        "/",
    ]
)
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | odd_texts
    | st.sampled_from([10**400, -1, 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with something else in one place."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: draw(changed(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], draw(changed(value[at])), *value[at + 1 :]]
    return draw(odd_values)


def body_of(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
