"""Names, companies and addresses put together in the ways that people write them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from training.names.values import Values

# How often an address is put together here; otherwise it is as Faker gives it.
COMPOSED = 0.3
_FILE = Path(__file__).parent / "parts.txt"
_ADDRESS_JOINTS = (", ", ", ", ", ", "\n", " ", "\n  ", ", \n")
_LINE_JOINTS = (", ", ", ", ", ", ", ", ", ", "\n", " ", "; ")

# By how often, in hundredths: {f}, {g} first names, {l}, {m} surnames, {i}, {j} initials,
# {p} a particle.
_FORMS = {
    "{f} {l}": 62,
    "{f} {j}. {l}": 10,
    "{f} {g} {l}": 6,
    "{f} {l}-{m}": 3,
    "{f} {l} {m}": 3,
    "{i}. {l}": 4,
    "{f}-{g} {l}": 3,
    "{f} {p} {l}": 3,
    "{l} {f}": 3,
    "{f}": 2,
    "{l}": 1,
}
# {n} a number, {r} a road, {u} a unit, {c} a city, {z} a postcode, {s} a state, {t} a country,
# {b} a box; `/` stands for what joins the lines.
_ADDRESSES = (
    "{n} {r}/{u}/{c}/{z}",
    "{r} {n}/{u}/{z} {c}",
    "{r}, {n}/{c}/{t}",
    "{n} {r}/{c}/{t} {z}",
    "{r} {n}/{c}/{s}",
    "{n}, {r}/{z} {c}",
    "Apt. 3/{n} {r}/{c}",
    "{b} {n}/{c}/{z}",
    "{r} {n}/{C}/{t}",
)


@cache
def _lists() -> dict[str, list[str]]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return {name: entries.split("|") for name, _, entries in (x.partition(": ") for x in lines)}


def _person(values: Values, locale: str, rng: random.Random) -> str:
    (form,) = rng.choices(list(_FORMS), list(_FORMS.values()))
    return _named(form, values, locale, rng)


def _named(form: str, values: Values, locale: str, rng: random.Random) -> str:
    first, last = values.draw("first", locale, rng), values.draw("last", locale, rng)
    return form.format(
        f=first,
        g=values.draw("first", locale, rng),
        l=last,
        m=values.draw("last", locale, rng),
        i=first[0],
        j=rng.choice("ABCDEFGHJKLMNPRSTW"),
        p=rng.choice(_lists()["particles"]),
    )


def _address(values: Values, locale: str, rng: random.Random) -> str:
    if rng.random() >= COMPOSED:
        return _lines("address", values, locale, rng)
    drawn = {
        letter: values.draw(slot, locale, rng)
        for letter, slot in zip("rczst", ("road", "city", "zip", "state", "country"), strict=True)
    }
    form = rng.choice(_ADDRESSES).format(
        **drawn,
        n=rng.randrange(1, rng.choice([200, 10_000])),
        u=rng.choice(_lists()["units"]).format(rng.randrange(1, 1_000)),
        b=rng.choice(_lists()["boxes"]),
        C=drawn["c"].upper(),
    )
    return re.sub("/+", rng.choice(_ADDRESS_JOINTS), form)


def _lines(slot: str, values: Values, locale: str, rng: random.Random) -> str:
    value = values.draw(slot, locale, rng)
    return re.sub(r"\s*\n\s*", rng.choice(_LINE_JOINTS), value).strip()


def _company(values: Values, locale: str, rng: random.Random) -> str:
    if rng.random() < 0.6:
        return values.draw("company", locale, rng)
    made = rng.choice(_lists()["stems"]) + rng.choice(_lists()["endings"])
    return f"{made} {rng.choice(_lists()['forms'])}".strip()


MAKERS: Mapping[str, Callable[[Values, str, random.Random], str]] = {
    "person": _person,
    "sur": lambda values, locale, rng: _named("{l}, {f}", values, locale, rng),
    "init": lambda values, locale, rng: _named("{i}. {l}", values, locale, rng),
    "address": _address,
    "street": lambda values, locale, rng: _lines("street", values, locale, rng),
    "company": _company,
    "nat": lambda values, locale, rng: rng.choice(_lists()["nations"]),
}
