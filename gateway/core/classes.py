"""What shows the class of data: which findings, and which words of those who know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.clearance import LEAST, LEVELS, Clearance, DataClass
from gateway.core.judgement import Finding


@dataclass(frozen=True, slots=True)
class Shown:
    """What a finding of some category shows, if it scores at least `min_score`."""

    min_score: float
    data: DataClass


@dataclass(frozen=True, slots=True)
class Classes:
    """Which classes there are, and what shows them.

    default: the class of an exchange of which nothing more is known. special: the level of each
    special class. shows: by category. lowering: whoever has one of these roles may say that
    data is of a lower class than it seems.
    """

    default: DataClass = LEAST
    special: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, tuple[Shown, ...]] = field(default_factory=dict)
    lowering: frozenset[str] = frozenset()
    _wanted: dict[Clearance | None, list[tuple[object, frozenset[str]]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a class has."""
        return (*LEVELS, *sorted(self.special))

    def named(self, names: Iterable[str]) -> DataClass:
        """The class of data that is said to be of these. Raises KeyError for an unknown one."""
        data = LEAST
        for name in names:
            plain = name in LEVELS
            data |= DataClass.of(name) if plain else DataClass.of(self.special[name], name)
        return data

    def unusual(self, data: DataClass) -> bool:
        """Whether it is more than all data is anyway."""
        return self.default | data != self.default

    def known(self, names: Iterable[str]) -> DataClass:
        """The same of names that were written down once; the unknown count as the highest."""
        return self.named(name if name in self.names else LEVELS[-1] for name in names)

    def of(self, finding: Finding) -> DataClass | None:
        """What a finding shows; None if nothing."""
        data: DataClass | None = None
        for shown in self.shows.get(finding.category, ()):
            if finding.score >= shown.min_score:
                data = shown.data if data is None else data | shown.data
        return data

    def detectors(
        self, known: Mapping[str, frozenset[str]], clearance: Clearance | None = None
    ) -> frozenset[str]:
        """Those of the detectors that can show a class; with a clearance, one that it lacks.

        known: the categories of each. Worked out once for each mapping and clearance.
        """
        kept = self._wanted.setdefault(clearance, [])
        for mapping, names in kept:
            if mapping is known:
                return names
        telling = frozenset(
            category
            for category, shown in self.shows.items()
            if clearance is None or any(clearance.lacks(each.data) for each in shown)
        )
        names = frozenset(
            n for n, categories in known.items() if not telling.isdisjoint(categories)
        )
        # A process has three such mappings; a test may make any number of them.
        self._wanted[clearance] = [*kept[-3:], (known, names)]
        return names
