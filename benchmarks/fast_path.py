"""Whether `pii` finds the same by its triggers as with every recogniser on every text.

    python -m benchmarks.fast_path [TEXTS.jsonl ...] [--made COUNT] [--seed SEED]

Every text is judged twice, with the recognisers that its triggers call for and with all of
them; where Presidio's own were narrowed (`_presidio`), both are. The texts are those of the
files and COUNT that are put together from identifiers, decoys, words, marks and digits of
several scripts. Prints how many there were and, by index alone, those that differ.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.identifiers import decoy, value
from gateway.detectors import create
from gateway.detectors._locator import Locator
from gateway.detectors._national import FORMS
from gateway.detectors._recognisers import COUNTRIES

_WORDS = (  # noqa: SIM905 - a line of words reads better than a list of them
    "the passport account card ssn tfn BSN Steuer-ID CPF nhs phone call order licence IBAN x ( )"
    " + / : @ _ 0 12 345 6789 1234567 A1 AB a.b 10.0.0.1 ::1 2001:db8::1 4111 1111 jane@example.org"
    " +49 30 901820 415-555-2671 DE89370400440532013000 RSSMRA85T10A562S Straße дом 名前 é"
    " ١٢٣ ４１１１ ½ ² ſ İ 😀 – № \u2011 \u00a0 00:1A:2B:3C:4D:5E 943-476-5919"
    " 960121-1357907 S1234567D"
).split(" ")
_GLUE = ("", " ", " ", " ", "-", "\n", "\u2009", ",", ": ", '"')
_NOISE = "0123456789 -./()+ABCXYZabc"


def main() -> None:
    """Prints the numbers; ends with status 1 if a text differs."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("files", nargs="*", type=Path)
    options.add_argument("--made", type=int, default=20_000)
    options.add_argument("--seed", default="fast path")
    given = options.parse_args()
    (detector,) = create({"pii": {"countries": list(COUNTRIES)}})
    triggers = detector.load() or ()
    every = sorted({trigger.hint for trigger in triggers})
    with tempfile.TemporaryDirectory() as folder:
        locator = Locator({"pii": triggers}, Path(folder))
    count = beyond = found = 0
    differ: list[int] = []
    for text in _texts(given.files, given.made, random.Random(given.seed)):
        hints = locator.hints(text, ["pii"]).get("pii", [])
        slow = detector.detect([text], [every])
        if detector.detect([text], [hints]) != slow:
            differ.append(count)
        count, beyond, found = count + 1, beyond + (not text.isascii()), found + len(slow[0])
    print(json.dumps({"texts": count, "not_ascii": beyond, "findings": found, "differ": differ}))
    raise SystemExit(bool(differ))


def _texts(files: list[Path], made: int, rng: random.Random) -> Iterator[str]:
    for path in files:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["text"]
    pool = [value(rng, form) for form in FORMS for _ in range(8)]
    pool += [wrong for form in FORMS if (wrong := decoy(rng, form))]
    labels = [label for form in FORMS for label in form.labels.split("|")]
    for _ in range(made):
        yield "".join(
            rng.choice(_pieces(rng, pool, labels)) + rng.choice(_GLUE)
            for _ in range(rng.randrange(1, 12))
        )


def _pieces(rng: random.Random, pool: list[str], labels: list[str]) -> tuple[str, ...]:
    noise = "".join(rng.choices(_NOISE, k=rng.randrange(1, 18)))
    return rng.choice(pool), rng.choice(pool), rng.choice(labels), rng.choice(_WORDS), noise


if __name__ == "__main__":
    main()
