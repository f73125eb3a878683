"""Made-up values by Faker: names, places, addresses and everything that stands beside them.

Values are drawn once per locale into pools; sampling from them is then cheap. Nothing here is
about a real person: Faker puts common first names and surnames together by chance.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

from faker import Faker

# The first locale of a language is the one most drawn from.
LOCALES: dict[str, tuple[str, ...]] = {
    "en": ("en_US", "en_GB", "en_CA", "en_AU", "en_IN", "en_IE", "en_NZ"),
    "de": ("de_DE", "de_AT", "de_CH"),
    "fr": ("fr_FR", "fr_CA", "fr_CH"),
    "es": ("es_ES", "es_MX", "es_CO", "es_AR", "es_CL"),
    "it": ("it_IT",),
    "nl": ("nl_NL", "nl_BE"),
    "pt": ("pt_PT", "pt_BR"),
    "pl": ("pl_PL",),
    "sv": ("sv_SE",),
    "da": ("da_DK",),
    "no": ("no_NO",),
    "fi": ("fi_FI",),
    "cs": ("cs_CZ",),
    "hu": ("hu_HU",),
    "ro": ("ro_RO",),
    "tr": ("tr_TR",),
    "hr": ("hr_HR",),
    "id": ("id_ID",),
}
# Persons only: the other values are in scripts that the carriers are not written in.
_ROMANIZED = ("zh_CN", "ja_JP")
# Elsewhere Faker's sentences are in Latin.
_WITH_PROSE = frozenset({"en", "de", "fr", "es", "it", "nl", "pl", "cs", "da"})
POOL = 1_500
_MANY = 4_000


# Values of one locale, by slot.
Pool = dict[str, list[str]]


class Values:
    """Draws values for slots."""

    def __init__(self, seed: int, kept: Path) -> None:
        """kept: a file for the pools, made if it is not there: drawing them takes a minute."""
        if not kept.exists():
            kept.write_text(json.dumps(_drawn(seed)), encoding="utf-8")
        pools = json.loads(kept.read_text(encoding="utf-8"))
        self._foreign: list[Pool] = [pools.pop(locale) for locale in _ROMANIZED]
        self._pools: dict[str, Pool] = pools
        self.places = (Path(__file__).parent / "places.txt").read_text("utf-8").splitlines()

    def locale(self, language: str, rng: random.Random) -> str:
        """A locale for a text: mostly one of its language, sometimes any."""
        known = LOCALES.get(language, LOCALES["en"])
        if rng.random() < 0.2:
            return rng.choice(list(self._pools))
        return known[0] if rng.random() < 0.5 else rng.choice(known)

    def draw(self, slot: str, locale: str, rng: random.Random) -> str:
        """A value of this locale for a slot that is in its pools."""
        if slot in ("first", "last") and rng.random() < 0.03:
            return rng.choice(rng.choice(self._foreign)[slot])
        return rng.choice(self._pools[locale][slot])

    def prose(self, language: str, rng: random.Random) -> str | None:
        """Words in a row that name nobody, where Faker has a list of the language's words."""
        if language not in _WITH_PROSE:
            return None
        return rng.choice(self._pools[LOCALES[language][0]]["lorem"])

    def has(self, slot: str) -> bool:
        """Whether it is a slot of the pools."""
        return slot in self._pools["en_US"]


def _drawn(seed: int) -> dict[str, Pool]:
    pools = {locale: _pool(locale, seed) for each in LOCALES.values() for locale in each}
    return pools | {locale: _romanized(locale, seed) for locale in _ROMANIZED}


def _pool(locale: str, seed: int) -> Pool:
    fake = Faker(locale)
    fake.seed_instance(seed)
    pool = {
        slot: sorted({make() for _ in range(many)})
        if slot in ("first", "last")
        else [make() for _ in range(many)]
        for slot, (make, many) in _makers(fake).items()
    }
    pool["last"] = [_tidy(v) for v in pool["last"]]
    return pool


def _makers(fake: Faker) -> dict[str, tuple[Callable[[], str], int]]:
    def either(*names: str) -> Callable[[], str]:
        for name in names:
            if hasattr(fake, name):
                found: Callable[[], str] = getattr(fake, name)
                return found
        return fake.city

    return {
        "first": (fake.first_name, _MANY),
        "last": (fake.last_name, _MANY),
        "address": (fake.address, POOL),
        "street": (fake.street_address, POOL),
        "road": (fake.street_name, POOL),
        "city": (fake.city, POOL),
        "zip": (fake.postcode, POOL),
        "state": (either("administrative_unit", "state", "region", "province", "county"), 200),
        "country": (fake.country, 400),
        "company": (fake.company, POOL),
        "job": (fake.job, POOL // 3),
        "phone": (fake.phone_number, POOL),
        "email": (fake.email, POOL),
        "user": (fake.user_name, POOL),
        "iban": (fake.iban, POOL // 3),
        "lorem": (fake.sentence, POOL),
    }


def _romanized(locale: str, seed: int) -> Pool:
    fake = Faker(locale)
    fake.seed_instance(seed)
    if locale == "zh_CN":
        names = [fake.romanized_name().split() for _ in range(POOL)]
    else:
        names = [[fake.first_romanized_name(), fake.last_romanized_name()] for _ in range(POOL)]
    return {"first": [n[0] for n in names], "last": [n[-1] for n in names]}


def _tidy(name: str) -> str:
    """Without titles that some locales put among surnames."""
    return re.sub(r"^(Dr|Prof|Ing|Mgr)\.?\s+", "", name)
