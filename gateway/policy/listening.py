"""Which detectors rules listen to, and whether something hangs on what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.core.judgement import Mode
from gateway.policy.language import Rule
from gateway.policy.matching import in_categories


def listened(detectors: Mapping[str, frozenset[str]], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Names of the detectors that one of these rules listens to."""
    return tuple(name for name in detectors if any(_listeners(name, detectors[name], rules)))


def on_trial(detectors: Mapping[str, frozenset[str]], rules: Sequence[Rule]) -> dict[str, Mode]:
    """Detectors that only rules on trial listen to, and how far those go at most."""
    found = {}
    for name, categories in detectors.items():
        modes = [rule.mode for rule in _listeners(name, categories, rules)]
        if modes and Mode.ENFORCE not in modes:
            found[name] = Mode.WARN if Mode.WARN in modes else Mode.SHADOW
    return found


def _listeners(name: str, categories: frozenset[str], rules: Sequence[Rule]) -> Iterable[Rule]:
    return (
        rule
        for rule in rules
        if (rule.detectors is None or rule.detectors.match(name))
        and any(in_categories(rule.categories, each) for each in categories)
    )
