"""Attested facts that have a value: where somebody is, how old users are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateway.core.errors import ConfigError
from gateway.terms.places import PATTERN

LICENSEE_REGION = "licensee_region"
END_USER_REGIONS = "end_user_regions"
USER_AGE_MIN = "user_age_min"
NAME = r"[a-z][a-z0-9_]{1,62}"

_PLACE = re.compile(PATTERN)
_AGE = re.compile(r"[1-9]?[0-9]")


def _place(value: str) -> bool:
    return _PLACE.fullmatch(value) is not None


def _places(value: str) -> bool:
    return all(_place(each) for each in places(value))


def _age(value: str) -> bool:
    return _AGE.fullmatch(value) is not None


_FORMS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    LICENSEE_REGION: (_place, "a country by its code of two letters, such as DE"),
    END_USER_REGIONS: (_places, "countries by their codes of two letters, such as DE,FR"),
    USER_AGE_MIN: (_age, "the age in years that every user has at least, such as 18"),
}
VALUED = tuple(_FORMS)


def check(name: str, value: str) -> None:
    """Raises ConfigError unless this can be attested with this value."""
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            f"{name[:64]!r}: what is attested has a name of small letters, digits and '_'."
        )
    if name not in _FORMS:
        if value:
            raise ConfigError(f"{name} is attested without a value. Known with one: {_known()}.")
        return
    fits, hint = _FORMS[name]
    if not fits(value):
        raise ConfigError(f"{name}: expected {hint}, found {value[:40]!r}. Write: {name}=VALUE")


def places(value: str) -> list[str]:
    """The places in the value of `end_user_regions`."""
    return [each.strip() for each in value.split(",")]


def _known() -> str:
    return ", ".join(VALUED)
