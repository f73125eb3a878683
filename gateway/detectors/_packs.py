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

Tokens with a form of their own are described shorter (`_forms`):

      - id: digitalocean-token
        category: DIGITALOCEAN_TOKEN
        forms: ['dop_v1_<hex:64>']
        score: 0.95
        source: DigitalOcean API reference, token prefixes

`near`, beside `forms`, are names one of which must stand before it as the name of a value.
`check` is one of `_checks`: what is left of the score. Forms need no examples: tests write
their own.

`secret` is what the finding spans. Optional: `entropy` (least Shannon bits a character of
the secret), `unless` (a regular expression that must not match in the secret), `trigger`
(where the derived one would be open-ended or late) with `before`: how many characters the
secret may start before it. A trigger must end within the secret. A list as an example is
joined, so that scanners of source code find nothing in the pack. A folder is a pack too: all
its YAML files.
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
from gateway.detectors._checks import CHECKS, Check
from gateway.detectors._forms import regex_of, trigger_of
from gateway.detectors._triggers import trigger
from gateway.documents import Document, load, unknown

_KEYS = {
    "id", "category", "regex", "score", "source", "examples",
    "entropy", "trigger", "before", "unless", "forms", "near", "check",
}  # fmt: skip
_NEEDED = ("id", "category", "score", "source")
# What documentation puts where a token's random part would be. A run of As is base64 of zeros.
_PLACEHOLDER = re.compile(r"([^A])\1{7}|(?i:example|your|placeholder|xxxx|1234567|abcdefg)")
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
    forms: tuple[str, ...] = ()
    near: str = ""
    check: Check | None = None

    def find(self, text: str) -> list[tuple[int, int]]:
        """Spans of secrets in the text."""
        return [(start, end) for start, end, _ in self.rated(text)]

    def rated(self, text: str) -> list[tuple[int, int, float]]:
        """Spans of secrets in the text, each with its score."""
        rows = ((*m.span("secret"), self._left(m["secret"])) for m in self.regex.finditer(text))
        return [row for row in rows if row[2] > 0]

    def at(self, text: str, place: int) -> tuple[int, float] | None:
        """The end and the score of what matches right here; None if nothing does."""
        match = self.regex.match(text, place)
        score = self._left(match["secret"]) if match else 0.0
        return (match.end("secret"), score) if match and score > 0 else None

    def _left(self, secret: str) -> float:
        """The score of a secret; 0 if it is none."""
        if not self._plausible(secret):
            return 0.0
        return self.score * (self.check(secret) if self.check else 1.0)

    def _plausible(self, secret: str) -> bool:
        if self.forms and _PLACEHOLDER.search(secret):
            return False
        if self.unless and self.unless.search(secret):
            return False
        return self.entropy <= 0 or entropy(secret) >= self.entropy


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits a character (Shannon 1948)."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def read_pack(path: Path) -> tuple[Pattern, ...]:
    """The patterns of a file or of all files of a folder. Raises ConfigError with file and line."""
    if path.is_dir():
        return tuple(p for file in sorted(path.glob("*.yaml")) for p in read_pack(file))
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
    forms, near = tuple(map(str, entry.get("forms") or ())), str(entry.get("near", ""))
    written, early = _written(document, at, entry, forms)
    regex = _regex(document, (*at, "regex"), written)
    if "secret" not in regex.groupindex:
        raise document.error((*at, "regex"), "needs a group named 'secret'.")
    try:
        found = trigger(
            str(entry["id"]),
            str(entry.get("trigger", early)),
            before_chars=int(entry.get("before", 0)),
        )
    except (ConfigError, re.error, ValueError, TypeError) as err:
        raise document.error((*at, "trigger"), str(err)) from err
    examples = entry["examples"] if isinstance(entry.get("examples"), dict) else {}
    return Pattern(
        id=str(entry["id"]),
        category=str(entry["category"]),
        regex=regex,
        score=_number(document, at, entry, "score", 1.0),
        entropy=_number(document, at, entry, "entropy", 8.0),
        unless=_regex(document, (*at, "unless"), entry["unless"]) if "unless" in entry else None,
        trigger=found,
        source=str(entry["source"]),
        match=_examples(examples, "match"),
        miss=_examples(examples, "miss"),
        forms=forms,
        near=near,
        check=_check(document, at, entry),
    )


def _written(
    document: Document, at: tuple[str | int, ...], entry: Mapping[str, Any], forms: tuple[str, ...]
) -> tuple[str, str]:
    """The regular expressions of the pattern and of its trigger."""
    if ("regex" in entry) == bool(forms):
        raise document.error(at, "a pattern has either 'regex' or 'forms'.")
    if not forms:
        return str(entry["regex"]), str(entry["regex"])
    near = str(entry.get("near", ""))
    try:
        return regex_of(forms, near), trigger_of(forms, near)
    except ValueError as err:
        raise document.error((*at, "forms"), str(err)) from err


def _check(document: Document, at: tuple[str | int, ...], entry: Mapping[str, Any]) -> Check | None:
    name = entry.get("check")
    if name is not None and name not in CHECKS:
        raise document.error((*at, "check"), f"unknown check.{unknown(str(name), CHECKS)}")
    return None if name is None else CHECKS[name]


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
