"""What an operator has said about findings: which values are none, and which scores are too low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.alike import alike
from gateway.core.judgement import Finding

# Values that are harmless whatever they were taken for.
ANY = ""


@dataclass(frozen=True, slots=True)
class Sieve:
    """Sifts the findings of all detectors, where they run.

    least: the least score by category, in place of the detector's own. allowed: harmless values
    by category, as `alike` gives them.
    """

    least: dict[str, float] = field(default_factory=dict)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)

    def thresholds(self, own: Mapping[str, float]) -> Mapping[str, float]:
        """Those that count, of a detector that has these of its own."""
        return {**own, **self.least} if self.least else own

    def drops(self, finding: Finding, text: str) -> bool:
        """Whether what was found in this text is known to be harmless."""
        if not self.allowed:
            return False
        value = alike(text[finding.start : finding.end])
        return any(value in self.allowed.get(key, ()) for key in (finding.category, ANY))


OPEN = Sieve()
