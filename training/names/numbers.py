"""Dates, amounts, numbers and identifiers: what stands beside names and is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

_MONTHS = {
    "en": "January|February|March|April|May|June|July|August|September|October|November|December",
    "de": "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "fr": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "es": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    "|diciembre",
    "it": "gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre"
    "|dicembre",
    "nl": "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december",
    "pt": "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro"
    "|dezembro",
}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def number(slot: str, language: str, rng: random.Random) -> str | None:
    """A value for a slot; None for one that is not known."""
    if slot == "date":
        return _date(language, rng)
    make = _MAKERS.get(slot)
    return make(rng) if make else None


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _time(rng: random.Random) -> str:
    hour, minute, second = rng.randrange(24), rng.randrange(60), rng.randrange(60)
    return rng.choice([f"{hour}:{minute:02}", f"{hour:02}:{minute:02}:{second:02}"])


def _money(rng: random.Random) -> str:
    amount = f"{rng.randrange(5000)}{rng.choice(['', '.00', ',50', '.99'])}"
    return rng.choice([f"${amount}", f"{amount} €", f"€{amount}", f"{amount} EUR"])


def _card(rng: random.Random) -> str:
    digits = _digits(rng, 16)
    return rng.choice([digits, " ".join(digits[i : i + 4] for i in range(0, 16, 4))])


def _id(rng: random.Random) -> str:
    digits = _digits(rng, 12)
    letters = "".join(rng.choice(_LETTERS) for _ in range(6))
    return rng.choice(
        [
            digits[: rng.randrange(5, 13)],
            f"{letters[:2]}{digits[:6]}{letters[2]}",
            f"{digits[:3]}-{digits[3:5]}-{digits[5:9]}",
            f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:11]}",
            f"{digits[:8]}{letters[0]}",
            f"{letters[:5]}{digits[:4]}{letters[5]}",
            f"{rng.getrandbits(64):x}",
        ]
    )


def _date(language: str, rng: random.Random) -> str:
    year, month, day = rng.randrange(1930, 2031), rng.randrange(1, 13), rng.randrange(1, 29)
    if rng.random() < 0.3:
        name = _MONTHS.get(language, _MONTHS["en"]).split("|")[month - 1]
        joint = " de " if language in ("es", "pt") else " "
        return rng.choice(
            [f"{day}{joint}{name}{joint}{year}", f"{day}{joint}{name}", f"{name} {year}"]
        )
    return rng.choice(
        [
            f"{year}-{month:02}-{day:02}",
            f"{day:02}.{month:02}.{year}",
            f"{day:02}/{month:02}/{year}",
            f"{month}/{day}/{year}",
            f"{day}-{month}-{year}",
        ]
    )


_MAKERS: Mapping[str, Callable[[random.Random], str]] = {
    "num": lambda rng: str(rng.randrange(rng.choice([10, 100, 10_000]))),
    "age": lambda rng: str(rng.randrange(1, 99)),
    "year": lambda rng: str(rng.randrange(1900, 2031)),
    "ver": lambda rng: ".".join(str(rng.randrange(20)) for _ in range(3)),
    "ip": lambda rng: ".".join(str(rng.randrange(256)) for _ in range(4)),
    "url": lambda rng: f"https://www.{_id(rng).lower()}.com/",
    "time": _time,
    "money": _money,
    "card": _card,
    "id": _id,
}
