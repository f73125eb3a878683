"""Forms of tokens as vendors describe them: what is fixed, and how much of which alphabet.

    shpat_<hex:32>          exactly 32 of them
    hvs.<url:24->           24 or more
    <lower:16-24>           16 to 24

A form gives the regular expression, a short trigger and, with random characters, an example.
A token of open length is taken whole; one of fixed length must not go on.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# The members of each alphabet as a class of `re` holds them.
ALPHABETS = {
    "digit": "0-9",
    "hex": "0-9a-f",
    "HEX": "0-9A-F",
    "Hex": "0-9A-Fa-f",
    "lower": "0-9a-z",
    "upper": "0-9A-Z",
    "letter": "A-Za-z",
    "alnum": "0-9A-Za-z",
    "word": "0-9A-Za-z_",
    "url": "0-9A-Za-z_-",
    "dotted": "0-9A-Za-z_.-",
    "base32": "A-Z2-7",
    "base58": "1-9A-HJ-NP-Za-km-z",
    "bech32": "02-9ac-hj-np-z",
    "base64": "0-9A-Za-z+/",
    "padded": "0-9A-Za-z+/=",
    "text": "0-9A-Za-z+/_=.-",
}
# How much of what is random a trigger waits for: enough to be rare, short to be cheap.
TRIGGER_CHARS = 8

_NAMED = "key|token|secret|password|passwd|pwd|auth|pat|ids?|api|credentials?|client"
_SLOT = re.compile(r"<(\w+):(\d+)(-?)(\d*)>")


@dataclass(frozen=True, slots=True)
class Slot:
    """Random characters: at least `least`, at most `most` (None: no end) of an alphabet."""

    alphabet: str
    least: int
    most: int | None


def read_form(form: str) -> tuple[str | Slot, ...]:
    """The pieces of a form. Raises ValueError for an unknown alphabet or a stray bracket."""
    out: list[str | Slot] = []
    done = 0
    for match in _SLOT.finditer(form):
        out += [form[done : match.start()]] if match.start() > done else []
        out.append(_slot(match))
        done = match.end()
    out += [form[done:]] if done < len(form) else []
    if any(isinstance(piece, str) and set(piece) & set("<>") for piece in out):
        raise ValueError(f"{form!r}: expected <alphabet:count>, <alphabet:from-to> or <...:from->.")
    return tuple(out)


def _slot(match: re.Match[str]) -> Slot:
    name, least, open_, most = match.groups()
    if name not in ALPHABETS:
        raise ValueError(f"unknown alphabet {name!r}; known: {', '.join(ALPHABETS)}.")
    if most:
        return Slot(name, int(least), int(most))
    return Slot(name, int(least), None if open_ else int(least))


def regex_of(forms: Sequence[str], near: str = "") -> str:
    """The regular expression of what has one of these forms, as group `secret`.

    near: names, as alternatives, one of which must stand before it as the name of a value.
    """
    read = [read_form(form) for form in forms]
    body = "|".join("".join(map(_regex, pieces)) + _end(pieces) for pieces in read)
    if near:
        return f"(?i:{_named(near)})(?P<secret>{body})"
    return f"(?<![{ALPHABETS['url']}])(?P<secret>{body})"


def trigger_of(forms: Sequence[str], near: str = "") -> str:
    """The start of `regex_of`: all up to the last fixed piece, and a little of what follows."""
    body = "|".join("".join(_trigger(read_form(form))) for form in forms)
    return (f"(?i:{_named(near)})" if near else "") + f"(?P<secret>{body})"


def sample(form: str, chance: random.Random) -> str:
    """Something of this form, never seen before."""
    out = []
    for piece in read_form(form):
        if isinstance(piece, str):
            out.append(piece)
        else:
            most = piece.least + 9 if piece.most is None else piece.most
            members = _members(piece.alphabet)
            out.append("".join(chance.choices(members, k=chance.randint(piece.least, most))))
    return "".join(out)


def _named(near: str) -> str:
    """The name of a value that ends as names of secrets do: `sumoKey`, but not `sumOf`."""
    return (
        rf"(?<![a-z0-9])(?:{near})(?:[a-z0-9_ .-]{{0,32}}(?:{_NAMED}))?[\"'`]?[ \t]{{0,3}}"
        rf"(?:string[ \t]{{0,3}})?(?::=|=>|=|:|>)[ \t]{{0,3}}[\"'`]?"
    )


def _regex(piece: str | Slot) -> str:
    if isinstance(piece, str):
        return re.escape(piece)
    most = "" if piece.most is None else piece.most
    return f"[{ALPHABETS[piece.alphabet]}]{{{piece.least},{most}}}"


def _end(pieces: Sequence[str | Slot]) -> str:
    """What must not follow: more of the same, unless the form is open."""
    last = pieces[-1]
    if isinstance(last, str) or last.most is None:
        return ""
    return f"(?![0-9A-Za-z_{ALPHABETS[last.alphabet]}])"


def _trigger(pieces: Sequence[str | Slot]) -> Iterator[str]:
    """Nothing of open length but the last piece, of which a little is enough."""
    fixed = [i for i, piece in enumerate(pieces) if isinstance(piece, str)]
    last = fixed[-1] if fixed and fixed[-1] + 1 < len(pieces) else -1
    first = next((i for i in fixed if len(str(pieces[i])) >= TRIGGER_CHARS // 2), last)
    for piece in pieces[: first + 1]:
        yield _regex(piece)
    following = pieces[first + 1] if first + 1 < len(pieces) else ""
    if isinstance(following, Slot):
        yield f"[{ALPHABETS[following.alphabet]}]{{{min(following.least, TRIGGER_CHARS)}}}"


def _members(alphabet: str) -> str:
    pattern = re.compile(f"[{ALPHABETS[alphabet]}]")
    return "".join(char for char in string.printable if pattern.match(char))
