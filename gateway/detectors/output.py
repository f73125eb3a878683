"""Links, images and markup that harm where an answer is shown.

An image is fetched as soon as it is shown. One whose address holds data of the conversation
takes it to whoever planted the instruction to write it (MITRE ATLAS AML.T0077; Rehberger, "Bing
Chat: Data Exfiltration Exploit Explained", 2023). A link needs a click, a script only a page
that shows answers as they are (OWASP LLM05:2025).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gateway.core.judgement import Finding
from gateway.core.ports import Trigger
from gateway.detectors._options import check_keys, words

CATEGORY = "IMPROPER_OUTPUT"

_ADDRESS = (
    r"(?P<address>(?:https?:)?//(?P<host>[^\s/?#)\"'<>]{1,253})(?P<rest>[^\s)\"'<>]{0,2000}))"
)
# Each with its trigger, and the score of one that carries data; others are found only if a list
# of hosts is given.
_FORMS: Mapping[str, tuple[str, str, float]] = {
    "image": (r"!\[", rf"!\[[^\]\n]{{0,300}}\]\(\s{{0,3}}<?{_ADDRESS}", 0.9),
    "link": (r"\]\(", rf"\]\(\s{{0,3}}<?{_ADDRESS}", 0.6),
    "definition": (r"\]:", rf"\]:\s{{0,3}}<?{_ADDRESS}", 0.6),
    "html_image": (
        r"<[iI][mM][gG]",
        rf"<img\b[^>\n]{{0,200}}?\bsrc\s{{0,3}}=\s{{0,3}}[\"']?{_ADDRESS}",
        0.9,
    ),
}
_EVENT = r"[\s/\"']on(?:error|load|toggle|focus|mouseover)\s{0,3}="
# What is harmful whatever its address. Code is talked about: only in passing is it so sure.
_MARKUP: Mapping[str, tuple[str, str, float]] = {
    "script_link": (
        r"\]\(", r"\]\(\s{0,3}<?(?:javascript|vbscript|data:text/html)[:;,][^\s)]{1,500}", 0.9,
    ),
    "script_href": (
        r"[hH][rR][eE][fF]",
        r"href\s{0,3}=\s{0,3}[\"']?\s{0,3}javascript:[^\s\"'>]{1,500}",
        0.8,
    ),
    "handler": (
        r"<[a-zA-Z]",
        r"<(?:img|svg|body|iframe|video|audio|input|details)\b[^>\n]{0,200}?" + _EVENT,
        0.8,
    ),
    "frame": (r"<[iI][fF][rR]", r"<iframe\b[^>\n]{0,200}?\bsrc\s{0,3}=[^>\n]{1,500}", 0.4),
    "script": (r"<[sS][cC][rR]", r"<script\b[^>\n]{0,500}>?", 0.4),
}  # fmt: skip
# No trigger is longer.
_LONGEST = 4
_PATTERNS = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, (_, pattern, _) in {**_FORMS, **_MARKUP}.items()
}
# What an address can carry: long opaque values, encoded words, or a slot left to be filled in.
_OPAQUE = re.compile(r"(?<![A-Za-z0-9+_=-])[A-Za-z0-9+_=-]{24,}(?![A-Za-z0-9+_=-])")
_SENTENCE = re.compile(r"(?:[^\s/&=?%+]{1,40}(?:%20|\+)){3,}")
_QUERY = re.compile(r"[?&#;][^=&]{0,60}=([^&]{16,})")
_MARKED = re.compile(r"[\[{<][A-Z_]{3,40}[\]}>]")


def build(options: Mapping[str, Any]) -> Output:
    """hosts: where images and links may lead, with all below them; others are then reported."""
    check_keys("output", options, ("hosts",))
    hosts = words("output", options, "hosts")
    return Output(None if hosts is None else frozenset(host.lower() for host in hosts))


class Output:
    """The detector. hosts: None if any host may be shown as long as no data goes there."""

    name = "output"
    categories = frozenset({CATEGORY})

    def __init__(self, hosts: frozenset[str] | None) -> None:
        self.version = "1"
        self._hosts = hosts

    def load(self) -> Sequence[Trigger]:
        """One trigger for each form: its first characters."""
        return [
            Trigger(name, begin, _LONGEST) for name, (begin, _, _) in {**_FORMS, **_MARKUP}.items()
        ]

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Looks for the forms whose triggers fired."""
        return [
            [finding for form in sorted(fired) for finding in self._found(form, text)]
            for text, fired in zip(texts, hints, strict=True)
        ]

    def _found(self, form: str, text: str) -> Iterator[Finding]:
        for match in _PATTERNS[form].finditer(text):
            score = _MARKUP[form][2] if form in _MARKUP else self._rated(form, match)
            if score:
                yield Finding(self.name, CATEGORY, match.start(), match.end(), score, form)

    def _rated(self, form: str, match: re.Match[str]) -> float:
        """How bad it is to show this address; 0 if it is not."""
        host = match["host"].rpartition("@")[2].partition(":")[0].lower()
        if self._hosts is not None and any(
            host == known or host.endswith(f".{known}") for known in self._hosts
        ):
            return 0.0
        if carries(match["rest"]):
            return _FORMS[form][2]
        return 0.5 if self._hosts is not None else 0.0


def carries(rest: str) -> bool:
    """Whether what follows the host of an address holds data: long and opaque, or sentences.

    Names of files are long, too, but in parts; what stands in a path must be longer.
    """
    if _MARKED.search(rest) or _SENTENCE.search(rest):
        return True
    values = [value for value in _QUERY.findall(rest) if _OPAQUE.search(value)]
    return bool(values) or any(_dense(found.group()) for found in _OPAQUE.finditer(rest))


def _dense(piece: str) -> bool:
    """Whether a long piece of a path is rather an encoding than words with dashes."""
    return len(piece) >= 40 and "-" not in piece and any(c.isdigit() for c in piece)
