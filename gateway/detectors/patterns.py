"""Keys, tokens and passwords that have a form, from YAML pattern packs (`_packs`)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._base64 import HINT, Encoded, Row
from gateway.detectors._options import check_keys, words
from gateway.detectors._packs import Pattern, read_pack

# In an installed package the folder `policies` lies inside it (pyproject.toml).
_ROOTS = (Path(__file__).parents[1] / "_data", Path(__file__).parents[2])
PACK = Path("policies", "patterns")
OPTIONS = ("packs", "without")


def build(options: Mapping[str, Any]) -> Patterns:
    """packs: files or folders to use instead of what comes along; without: ids to leave out."""
    check_keys("patterns", options, OPTIONS)
    paths = words("patterns", options, "packs")
    files = [Path(p) for p in paths] if paths is not None else [default_pack()]
    patterns = [pattern for path in files for pattern in read_pack(path)]
    without = words("patterns", options, "without") or ()
    known = {pattern.id for pattern in patterns}
    for name in without:
        if name not in known:
            raise ConfigError(f"Detector 'patterns': without: there is no pattern {name!r}.")
    if len(known) != len(patterns):
        raise ConfigError("Detector 'patterns': two packs hold a pattern of the same id.")
    return Patterns([pattern for pattern in patterns if pattern.id not in without])


def default_pack() -> Path:
    """Where the pack that comes along lies. Raises ConfigError if it is gone."""
    for root in _ROOTS:
        if (root / PACK).is_dir():
            return root / PACK
    raise ConfigError(f"{PACK} is missing from the installation; install the package again.")


class Patterns:
    """The detector."""

    name = "patterns"

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.categories = frozenset(pattern.category for pattern in patterns)
        self._patterns = {pattern.id: pattern for pattern in patterns}
        self._encoded = Encoded(patterns)
        text = "\n".join(f"{p.id} {p.regex.pattern} {p.score} {p.entropy}" for p in patterns)
        self.version = f"pack {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def load(self) -> Sequence[Trigger]:
        """Nothing to import: the patterns are compiled already."""
        return [*(p.trigger for p in self._patterns.values()), self._encoded.trigger]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Runs the patterns whose triggers fired."""
        return [
            [Finding(self.name, p.category, start, end, score) for p, start, end, score in rows]
            for rows in (self._rows(*asked) for asked in zip(texts, hints, strict=True))
        ]

    def _rows(self, text: str, fired: Collection[str]) -> Iterator[Row]:
        for hint in sorted(fired):
            if hint == HINT:
                yield from self._encoded.find(text)
                continue
            pattern = self._patterns[hint]
            for start, end, score in pattern.rated(text):
                yield pattern, start, end, score
