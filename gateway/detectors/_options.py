"""Reading what an operator wrote for a detector: known keys, right types, or a ConfigError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.errors import ConfigError
from gateway.documents import unknown


def check_keys(detector: str, options: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises ConfigError for an option that the detector does not take."""
    for key in options:
        if key not in known:
            raise ConfigError(
                f"Detector {detector!r}: unknown option {key!r}.{unknown(key, known)}"
            )


def words(detector: str, options: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """A list of strings, or None if it is not given."""
    value = options.get(key)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"Detector {detector!r}: {key!r} must be a list of words.")
    return tuple(value)


def share(detector: str, options: Mapping[str, Any], key: str, default: float) -> float:
    """A number from 0 to 1."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"Detector {detector!r}: {key!r} must be a number from 0 to 1.")
    return float(value)


def chosen(
    detector: str, key: str, wanted: tuple[str, ...] | None, known: Sequence[str]
) -> tuple[str, ...]:
    """Those wanted, each of them known; all known ones if nothing was said."""
    for item in wanted or ():
        if item not in known:
            raise ConfigError(
                f"Detector {detector!r}: {key}: unknown {item!r}.{unknown(item, known)}"
            )
    return tuple(known) if wanted is None else wanted
