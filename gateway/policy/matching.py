"""Names, globs, and the facts of an exchange that they are matched against."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import DATA_CLASS, DETECTOR_ERROR, OPAQUE, STATE, TERMS, Context

# Categories that stand for an event, not for a match in a text: only a rule that names
# them exactly sees them, so that "*" means every kind of match.
EVENTS = frozenset({ANSWER, DATA_CLASS, DETECTOR_ERROR, OPAQUE, REQUEST, STATE, TERMS})

Fact = str | bool | int | tuple[str, ...]

# What a condition may ask about the exchange, by the name it has there.
FACTS: Mapping[str, Callable[[Context], Fact]] = {
    "direction": lambda c: c.direction.value,
    "endpoint": lambda c: c.endpoint,
    "model": lambda c: c.route.model,
    "upstream_model": lambda c: c.route.upstream_model,
    "provider": lambda c: c.route.provider,
    "hosting": lambda c: c.route.hosting,
    "region": lambda c: c.route.region,
    "terms": lambda c: c.route.terms,
    "tenant": lambda c: c.principal.tenant,
    "application": lambda c: c.principal.application,
    "team": lambda c: c.principal.team,
    "roles": lambda c: c.principal.roles,
    "key_id": lambda c: c.principal.key_id,
    "stream": lambda c: c.stream,
    "json_mode": lambda c: c.json_output,
    "data_class": lambda c: c.data.level,
    "data_classes": lambda c: c.data.names,
    "cleared": lambda c: not c.route.clearance.lacks(c.data),
    "trains": lambda c: c.route.trains,
    "retention_days": lambda c: c.route.retention_days,
    "attested": lambda c: c.attested,
}
# Those by which the class of the data can change what a rule says.
WEIGHING = frozenset({"data_class", "data_classes", "cleared"})

# What `match` and `when` may list, and the facts of which one must fit.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "directions": ("direction",),
    "models": ("model", "upstream_model"),
    "endpoints": ("endpoint",),
    "providers": ("provider",),
    "hosting": ("hosting",),
    "regions": ("region",),
    "data_classes": ("data_classes",),
    "terms": ("terms",),
}
PRINCIPAL_FIELDS: Mapping[str, tuple[str, ...]] = {
    "tenants": ("tenant",),
    "applications": ("application",),
    "teams": ("team",),
    "roles": ("roles",),
    "keys": ("key_id",),
}
_ALL_FIELDS = {**FIELDS, **{f"principals.{k}": v for k, v in PRINCIPAL_FIELDS.items()}}


@dataclass(frozen=True, slots=True)
class Names:
    """Exact names and globs (`*`, `?`), matched with regard to case."""

    exact: frozenset[str]
    globs: frozenset[str] = frozenset()
    _pattern: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    @staticmethod
    def of(written: Iterable[str]) -> Names:
        """Names as they stand in a file."""
        items = frozenset(written)
        globs = frozenset(n for n in items if is_glob(n))
        pattern = "|".join(fnmatch.translate(n) for n in sorted(globs))
        return Names(items - globs, globs, re.compile(pattern) if globs else None)

    def match(self, name: str) -> bool:
        """Whether one of the names is this one."""
        return name in self.exact or (
            self._pattern is not None and self._pattern.match(name) is not None
        )

    def meaning(self) -> list[str]:
        """The same for the same names in any order."""
        return sorted(self.exact | self.globs)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which exchanges something is for: a name list per field; a field not given fits all."""

    fields: Mapping[str, Names]

    def mismatch(self, facts: Mapping[str, Fact]) -> str:
        """The first field that does not fit; empty if all do."""
        for name, names in self.fields.items():
            if not any(names.match(v) for fact in _ALL_FIELDS[name] for v in _values(facts[fact])):
                return name
        return ""

    def facts(self) -> set[str]:
        """The facts that this scope asks about."""
        return {fact for name in self.fields for fact in _ALL_FIELDS[name]}

    def meaning(self) -> dict[str, list[str]]:
        """The same for the same scope in any order."""
        return {name: names.meaning() for name, names in self.fields.items()}


def is_glob(name: str) -> bool:
    """Whether the name stands for several."""
    return any(char in name for char in "*?[")


def in_categories(names: Names, category: str) -> bool:
    """Whether a category is among the names; events only if named exactly."""
    if category in EVENTS:
        return category in names.exact
    return names.match(category)


def facts_of(context: Context, wanted: Collection[str]) -> dict[str, Fact]:
    """The wanted facts of an exchange, in the order in which they are wanted."""
    return {name: FACTS[name](context) for name in wanted}


def _values(fact: Fact) -> tuple[str, ...]:
    return fact if isinstance(fact, tuple) else (str(fact),)
