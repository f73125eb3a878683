"""Pattern packs: YAML files of regular expressions with examples.

    patterns:
      - id: aws-access-key
        category: AWS_ACCESS_KEY
        regex: '(?<![A-Z0-9])(?P<secret>AKIA[A-Z2-7]{16})(?![A-Z0-9])'
        score: 0.95
        source: AWS, "Unique identifiers" in the IAM user guide
        examples:
          match: [["AKIA", "EXAMPLEEXAMPLE22"]]
          miss: ["AKIA"]

`secret` is what the finding spans. Optional: `entropy` (least Shannon bits a character of
the secret), `unless` (a regular expression that must not match in the secret), `trigger`
(where the derived one would be open-ended or late) with `before`: how many characters the
secret may start before it. A trigger must end within the secret. A list as an example is
joined, so that scanners of source code find nothing in the pack.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.ports import Trigger
from gateway.detectors._triggers import trigger
from gateway.documents import Document, load, unknown

_KEYS = {
    "id", "category", "regex", "score", "source", "examples",
    "entropy", "trigger", "before", "unless",
}  # fmt: skip
_NEEDED = ("id", "category", "regex", "score", "source", "examples")
_CATEGORY = re.compile(r"[A-Z][A-Z0-9_]{2,47}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of a pack, compiled."""

    id: str
    category: str
    regex: re.Pattern[str]
    score: float
    entropy: float
    unless: re.Pattern[str] | None
    trigger: Trigger
    source: str
    match: tuple[str, ...]
    miss: tuple[str, ...]

    def find(self, text: str) -> list[tuple[int, int]]:
        """Spans of secrets in the text."""
        return [
            match.span("secret")
            for match in self.regex.finditer(text)
            if self._plausible(match.group("secret"))
        ]

    def _plausible(self, secret: str) -> bool:
        if self.unless and self.unless.search(secret):
            return False
        return self.entropy <= 0 or entropy(secret) >= self.entropy


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits a character (Shannon 1948)."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def read_pack(path: Path) -> tuple[Pattern, ...]:
    """The patterns of a pack. Raises ConfigError with file and line."""
    out: list[Pattern] = []
    for document in load(path):
        if not isinstance(document.value, dict) or set(document.value) != {"patterns"}:
            raise document.error((), "a pattern pack holds the one key 'patterns'.")
        for index, entry in enumerate(document.value["patterns"] or ()):
            at = ("patterns", index)
            pattern = _pattern(document, at, entry)
            if any(other.id == pattern.id for other in out):
                raise document.error((*at, "id"), f"{pattern.id!r} is given twice.")
            out.append(pattern)
    return tuple(out)


def _pattern(document: Document, at: tuple[str | int, ...], entry: Any) -> Pattern:
    if not isinstance(entry, dict):
        raise document.error(at, "a pattern is a mapping.")
    for key in entry:
        if key not in _KEYS:
            raise document.error((*at, key), f"unknown key {key!r}.{unknown(key, _KEYS)}")
    for key in _NEEDED:
        if key not in entry:
            raise document.error(at, f"{key!r} is missing.")
    if not _CATEGORY.fullmatch(str(entry["category"])):
        raise document.error((*at, "category"), "a category is UPPER_CASE.")
    regex = _regex(document, (*at, "regex"), entry["regex"])
    if "secret" not in regex.groupindex:
        raise document.error((*at, "regex"), "needs a group named 'secret'.")
    try:
        early = trigger(
            str(entry["id"]),
            str(entry.get("trigger", entry["regex"])),
            before_chars=int(entry.get("before", 0)),
        )
    except (ConfigError, re.error, ValueError, TypeError) as err:
        raise document.error((*at, "trigger"), str(err)) from err
    examples = entry["examples"] if isinstance(entry["examples"], dict) else {}
    return Pattern(
        id=str(entry["id"]),
        category=str(entry["category"]),
        regex=regex,
        score=_number(document, at, entry, "score", 1.0),
        entropy=_number(document, at, entry, "entropy", 8.0),
        unless=_regex(document, (*at, "unless"), entry["unless"]) if "unless" in entry else None,
        trigger=early,
        source=str(entry["source"]),
        match=_examples(examples, "match"),
        miss=_examples(examples, "miss"),
    )


def _regex(document: Document, at: tuple[str | int, ...], value: Any) -> re.Pattern[str]:
    try:
        return re.compile(str(value))
    except re.error as err:
        raise document.error(at, f"not a regular expression: {err.msg}.") from err


def _number(
    document: Document, at: tuple[str | int, ...], entry: Mapping[str, Any], key: str, most: float
) -> float:
    value = entry.get(key, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise document.error((*at, key), f"{key!r} must be a number from 0 to {most:g}.")
    return float(value)


def _examples(examples: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(
        "".join(map(str, item)) if isinstance(item, list) else str(item)
        for item in examples.get(key) or ()
    )
