"""Texts with made-up identifiers of every kind that `pii` describes itself, and with decoys.

    python -m benchmarks.identifiers OUT.jsonl [--seed SEED] [--each COUNT]
    GATEWAY_DETECTORS=pii gateway evaluate OUT.jsonl

Values are drawn from the pattern of a form until its check digits are right; a decoy is the
same value with one digit changed, so that they are wrong. Each stands in a sentence, a log
line, a table or JSON. Rows are of the schema for personal data (`docs/detection.md`).

What is drawn from a pattern cannot show what the pattern misses: this tells whether labels,
check digits, separators and neighbours are handled, not whether the forms are those in use.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from gateway.detectors._identifiers import SEPARATORS, Form
from gateway.detectors._national import FORMS

CARRIERS = {
    "en": (
        "Hi, my {label} is {value}, can you check it?", "{label}: {value}",
        "Please update the record, {label} {value}, and confirm by mail.",
        "The form asks for a {label}. I have {value} on the card.",
    ),
    "de": (
        "Hallo, meine {label} lautet {value}, bitte prüfen.", "{label}: {value}",
        "Im Formular steht {label} {value}, stimmt das so?",
    ),
    "fr": (
        "Bonjour, mon {label} est {value}, merci de vérifier.", "{label} : {value}",
        "Le dossier indique {label} {value}. Est-ce correct ?",
    ),
    "es": (
        "Hola, mi {label} es {value}, ¿puede comprobarlo?", "{label}: {value}",
        "En la ficha consta {label} {value}, y nada más.",
    ),
    "it": (
        "Buongiorno, il mio {label} è {value}, può verificare?", "{label}: {value}",
        "Nella scheda risulta {label} {value}, grazie.",
    ),
    "nl": (
        "Hallo, mijn {label} is {value}, kunt u dat nakijken?", "{label}: {value}",
        "Op het formulier staat {label} {value}, klopt dat?",
    ),
    "pt": (
        "Olá, o meu {label} é {value}, pode verificar?", "{label}: {value}",
        "Na ficha consta {label} {value}, obrigado.",
    ),
    "pl": ("Mój {label} to {value}, proszę sprawdzić.", "{label}: {value}"),
}  # fmt: skip
TABLES = (
    '{{"name": "A. Example", "{label}": "{value}", "active": true}}',
    "id;{label};note\n7;{value};-",
    "note,{label}\nfirst,{value}",
    "2026-03-01 10:22:31 INFO set {label}={value} ok",
)
LANGUAGES = {
    "de": "de", "at": "de", "ch": "de", "fr": "fr", "be": "fr", "es": "es", "it": "it", "nl": "nl",
    "pt": "pt", "br": "pt", "pl": "pl",
}  # fmt: skip
CLEAN = (
    "Order {d7}-{d4} shipped, tracking code 1Z{d16}.", "Commit {hex} broke the build {d5}.",
    "The job started at {epoch} and took {d4} ms.", "Session {uuid} ended.",
    "Bestellung {d9} wurde am 03.04.2026 versandt.", "La commande {d10} est en retard.",
    "El pedido {d9} llega mañana.", "Ordine {d10} confermato.", "Bestelling {d9} is verzonden.",
    "Version {v}.{v}.{v} replaces {v}.{v}.{v}.", "The invoice {d8} is over 12,500.00 EUR.",
    "ISBN 978-3-16-148410-0 and article {d8}.", "Rows {d5} to {d6} of {d7}.",
    "O pedido {d9} foi enviado em 2026-05-01.",
)  # fmt: skip
_MANY = 3
_TRIES = 20_000


def main() -> None:
    """Writes the rows."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("out", type=Path)
    options.add_argument("--seed", default="identifiers")
    options.add_argument("--each", type=int, default=12, help="values of each form")
    given = options.parse_args()
    with given.out.open("w", encoding="utf-8") as file:
        for row in rows(random.Random(given.seed), given.each):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def rows(rng: random.Random, each: int) -> Iterator[dict[str, Any]]:
    """Good values, decoys and clean texts."""
    for number, form in enumerate(FORMS):
        for _ in range(each):
            yield _row(rng, form, value(rng, form), f"form {number}", good=True)
            wrong = decoy(rng, form)
            if wrong:
                yield _row(rng, form, wrong, "decoys", good=False)
    for template in CLEAN:
        for _ in range(each):
            text = _filled(rng, template)
            yield {"text": text, "language": "en", "source": "clean", "spans": []}


def value(rng: random.Random, form: Form) -> str:
    """A value with right check digits, if the form has any."""
    tree = parser.parse(form.pattern.replace("~", rng.choice(("", "", " ", "-", "."))))
    regex = _regex(form)
    for _ in range(_TRIES):
        drawn = _draw(rng, tree)
        if regex.fullmatch(drawn) and (form.check is None or form.check(_plain(drawn))):
            return drawn
    raise RuntimeError(f"{form.entity}: no value found; is the check right?")


def decoy(rng: random.Random, form: Form) -> str | None:
    """A value with one digit wrong; None if nothing would notice."""
    if form.check is None:
        return None
    good, regex = value(rng, form), _regex(form)
    for _ in range(_TRIES):
        at = rng.choice([i for i, c in enumerate(good) if c.isdecimal()])
        wrong = good[:at] + rng.choice("0123456789") + good[at + 1 :]
        if regex.fullmatch(wrong) and not form.check(_plain(wrong)):
            return wrong
    return None


def _regex(form: Form) -> re.Pattern[str]:
    return re.compile(form.pattern.replace("~", r"[ .-]?"), re.IGNORECASE)


def _row(
    rng: random.Random, form: Form, written: str, source: str, *, good: bool
) -> dict[str, Any]:
    language = LANGUAGES.get(
        form.country, rng.choice(sorted(CARRIERS)) if not form.country else "en"
    )
    label = rng.choice(form.labels.split("|")[:_MANY]) if form.labels else "number"
    carrier = rng.choice(CARRIERS[language] + TABLES)
    before, after = (part.format(label=label) for part in carrier.split("{value}"))
    spans = [{"start": len(before), "end": len(before) + len(written), "type": form.entity}]
    return {
        "text": before + written + after,
        "language": language,
        "source": source,
        "spans": spans if good else [],
    }


def _filled(rng: random.Random, template: str) -> str:
    def fill(match: re.Match[str]) -> str:
        kind = match[1]
        if kind == "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        if kind == "hex":
            return f"{rng.getrandbits(160):040x}"
        if kind == "epoch":
            return str(rng.randrange(1_600_000_000, 1_800_000_000))
        if kind == "v":
            return str(rng.randrange(30))
        return "".join(rng.choices("0123456789", k=int(kind[1:])))

    return re.sub(r"\{(\w+)\}", fill, template)


def _plain(written: str) -> str:
    return SEPARATORS.sub("", written).upper()


def _draw(rng: random.Random, items: Any) -> str:
    """Something that a parsed pattern matches, look-around aside."""
    out = []
    for op, given in items:
        if op is sre.LITERAL:
            out.append(chr(given))
        elif op is sre.IN:
            out.append(rng.choice(_members(given)))
        elif op is sre.BRANCH:
            out.append(_draw(rng, rng.choice(given[1])))
        elif op is sre.SUBPATTERN:
            out.append(_draw(rng, given[3]))
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, inner = given
            out += [_draw(rng, inner) for _ in range(rng.randint(low, min(high, low + 20)))]
    return "".join(out)


def _members(items: Any) -> str:
    out = ""
    for op, given in items:
        out += chr(given) if op is sre.LITERAL else "".join(map(chr, range(given[0], given[1] + 1)))
    return out


if __name__ == "__main__":
    main()
