"""What identifiers and enumerations look like, and which of them are judged all the same.

A key to some API looks like an identifier, too. So what is long and made of no words is judged
as text, unless it has the form of what APIs call their own things: their prefixes (as seen in
traffic of 2024 to 2026), UUIDs, digests in hexadecimal digits, and what browsers put between the
fields of a form.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Long runs of digits are numbers of somebody.
PLAIN = re.compile(r"\d{0,7}|(?=[\d.:_-]*[A-Za-z])[A-Za-z0-9.:_-]{1,128}", re.ASCII)
_MAKERS = (
    "asst", "audio", "batch", "call", "cfile", "chatcmpl", "ci", "cmp", "cmpl", "cntr", "conv",
    "container", "ctc", "event", "evt", "fc", "file", "fp", "fs", "ftjob", "function-call", "gen",
    "ig", "item", "lc", "lsh", "mcp", "mcpl", "mcptoolu", "modr", "msg", "msgbatch", "org", "pmpt",
    "proj", "req", "resp", "rs", "run", "sess", "srvtoolu", "step", "thread", "toolu", "tsc",
    "tso", "vs", "ws",
)  # fmt: skip
_MADE = re.compile(
    rf"(?!.*\d{{13}})(?:(?:{'|'.join(_MAKERS)})[_-][A-Za-z0-9._:-]+|[0-9a-f-]+|[0-9A-F-]+|"
    r"-*WebKitFormBoundary[A-Za-z0-9]{1,19})"
)
# Also several in one, as in camelCase.
_WORD = re.compile(
    r"[A-Z]?[a-z]+(?:[A-Z][a-z]{3,})*[0-9]{0,3}|[A-Z]{1,15}|[0-9]{1,8}|[A-Za-z0-9]{1,4}"
)
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")
# No shorter than the shortest key that is known by its form alone (AWS's access keys have 20).
_LONG_CHARS = 16


def is_plain(text: str) -> bool:
    """Whether this looks like an identifier or an enumeration, not like text."""
    return PLAIN.fullmatch(text) is not None


def could_be_a_key(text: str) -> bool:
    """Whether an identifier is to be judged like text."""
    return len(text) >= _LONG_CHARS and _odd(text)


@lru_cache(maxsize=4_096)
def _odd(text: str) -> bool:
    if _MADE.fullmatch(text):
        return False
    tokens = _BETWEEN.split(text)
    return sum(len(t) for t in tokens if t and not _WORD.fullmatch(t)) >= _LONG_CHARS
