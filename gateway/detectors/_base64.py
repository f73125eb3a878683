"""Secrets inside base64 (RFC 4648), one layer deep.

A stretch of base64 is decoded only where it could hold a secret: where it shows one of the
ways in which the beginning of a secret is written in base64, which depends on where in a
group of three bytes it falls. What is found is told in characters of the stretch, whole
groups of four at a time, and begins where that beginning does.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence

from gateway.core.ports import Trigger
from gateway.detectors._forms import read_form
from gateway.detectors._packs import Pattern
from gateway.detectors._triggers import trigger

HINT = "base64"
MIN_CHARS = 4
# What is decoded at most of one stretch, and how many beginnings in it are looked at.
MAX_CHARS = 131_072
MAX_BEGINNINGS = 256

# Beginnings of what the packs describe by regular expressions.
_WRITTEN = (
    "AKIA", "ASIA", "AIza", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "npm_",
    "pypi-AgE", "sk-proj-", "sk-ant-", "sk-or-v1-", "sk_live_", "sk_test_", "xoxb-", "xoxp-",
    "gsk_", "hooks.slack.com", "-----BEGIN ", "postgres", "mysql://", "mongodb", "redis://",
    "amqp://", "password", "Password", "PASSWORD", "api_key", "API_KEY", "AccountKey=",
    "aws_secret", "AWS_SECRET", "dop_v1_", "doo_v1_", "dckr_pat_", "shpat_", "rubygems_",
    "lin_api_", "hvs.", "xapp-", "pplx-", "xai-", "glsa_", "whsec_", "rk_live_", "gldt-",
    "glrt-", "AGE-SECRET-KEY-1",
)  # fmt: skip
_STRETCH = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{16,})*={0,2}")
_BREAKS = re.compile(r"[\r\n]+")
_STANDARD = {0x2D: "+", 0x5F: "/"}

Row = tuple[Pattern, int, int, float]


class Encoded:
    """Finds what some patterns describe in stretches of base64."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        beginnings = sorted({*_WRITTEN, *_prefixes(patterns)}, key=lambda b: (-len(b), b))
        self._beginning = re.compile("|".join(map(re.escape, beginnings)))
        shown = sorted({shown for text in beginnings for shown in spellings(text)})
        self.trigger: Trigger = trigger(
            HINT, "(?P<secret>" + "|".join(map(re.escape, shown)) + ")", before_chars=4
        )

    def find(self, text: str) -> Iterator[Row]:
        """What stands in the stretches of a text, with its place in the text."""
        for match in _STRETCH.finditer(text):
            written = match.group()[:MAX_CHARS]
            # A text may begin amid a group of four.
            for skipped in range(4 if match.start() == 0 else 1):
                found = list(self._decoded(written, skipped))
                for pattern, start, end, score in found:
                    yield pattern, match.start() + start, match.start() + end, score
                if found:
                    break

    def _decoded(self, written: str, skipped: int) -> Iterator[Row]:
        kept = _BREAKS.sub("", written[skipped:])
        said = _decode(kept)
        breaks = len(kept) != len(written) - skipped
        places = [i for i, c in enumerate(written) if i >= skipped and c not in "\r\n"]
        if not breaks:
            places = list(range(skipped, len(written)))
        done = 0
        for count, begun in enumerate(self._beginning.finditer(said)):
            if count >= MAX_BEGINNINGS:
                return
            if begun.start() < done:
                continue
            for pattern in self._patterns:
                rated = pattern.at(said, begun.start())
                if rated:
                    end, score = rated
                    last = min(-(-end // 3) * 4, len(kept)) - 1
                    yield pattern, places[begun.start() // 3 * 4], places[last] + 1, score
                    done = max(done, end)


def spellings(text: str) -> list[str]:
    """How the text shows in base64: one for each place in a group of three bytes.

    Only characters that nothing around the text changes.
    """
    data, out = text.encode(), []
    for before in range(3):
        whole = base64.b64encode(bytes(before) + data + bytes(2)).decode()
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        out.append(whole[first:last])
    return out


def _prefixes(patterns: Iterable[Pattern]) -> Iterator[str]:
    for pattern in patterns:
        for form in pattern.forms if not pattern.near else ():
            first = read_form(form)[0]
            if isinstance(first, str) and len(first) >= MIN_CHARS:
                yield first


def _decode(written: str) -> str:
    """The text, one character a byte; empty if it is none. Padding may be missing."""
    data = written.rstrip("=").translate(_STANDARD)
    data = data[: len(data) - 1] if len(data) % 4 == 1 else data
    try:
        raw = base64.b64decode(data + "=" * (-len(data) % 4))
    except binascii.Error:
        return ""
    return raw.decode("latin-1")
