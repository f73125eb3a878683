"""Documents and tool results as agents meet them, and instructions planted in them.

A document is a list of pieces, so that something can be planted between any two of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.injection.made import MADE

_COLUMNS = (
    ("Name", "Team", "Points", "Rank"),
    ("Year", "Title", "Role", "Notes"),
    ("Item", "Price", "Stock", "Supplier"),
    ("Date", "City", "Guests", "Revenue"),
    ("Model", "Type", "Weight", "Built"),
    ("Nr", "Position", "Menge", "Betrag"),
    ("Jahr", "Verein", "Liga", "Tore"),
    ("Fecha", "Lugar", "Total", "Estado"),
    ("Station", "Line", "Opened", "Passengers"),
)
_NAMES = (
    "Alpha Borealis Canyon Delta Emerald Falcon Garnet Harbour Indigo Juniper Kestrel Lagoon "
    "Maple Nimbus Orchid Pioneer Quartz Redwood Summit Tundra Umber Vista Willow Zephyr United "
    "Rovers North South Express Premier Cup Final Draw Win Loss open closed pending active"
)
_WORDS = _NAMES.split()
_CODE = (
    "def total(items):\n    return sum(item.price for item in items)",
    "for (let i = 0; i < rows.length; i++) {\n  console.log(rows[i].name);\n}",
    "df = pd.read_csv('data.csv')\ndf.groupby('city').mean()",
    "Traceback (most recent call last):\n  File \"app.py\", line 12, in <module>\nKeyError: 'name'",
    "SELECT id, name FROM users WHERE active = 1 ORDER BY name;",
    "public int size() {\n    return this.items.size();\n}",
    "x = np.zeros((3, 4))\nx[:, 1] = 5\nprint(x.shape)",
    "$ ls -la\ntotal 12\ndrwxr-xr-x 2 root root 4096 data",
    "if err != nil {\n\treturn nil, err\n}",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A text, and where in it something stands that does not belong; empty if nothing does."""

    text: str
    start: int
    end: int


def document(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    """The pieces of a document, and what stands between them. prose: sentences to take."""
    return rng.choices(_KINDS, weights=_WEIGHTS)[0](rng, prose)


def plant(
    rng: random.Random, pieces: Sequence[str], between: str, payload: str, *, escaped: bool = False
) -> Planted:
    """The document with the payload at its start, at its end or amid it."""
    at = rng.choice((0, len(pieces), rng.randint(0, len(pieces)), rng.randint(0, len(pieces))))
    before = between.join(pieces[:at])
    after = between.join(pieces[at:])
    if escaped:
        payload = json.dumps(payload, ensure_ascii=False)[1:-1]
    joint = rng.choice((between, between, "\n", "\n\n", " ")) if not escaped else " "
    start = len(before) + (len(joint) if before else 0)
    text = f"{before}{joint if before else ''}{payload}{joint if after else ''}{after}"
    return Planted(text, start, start + len(payload))


def _cell(rng: random.Random) -> str:
    return rng.choice(
        (
            lambda: str(rng.randint(1, 3000)),
            lambda: f"{rng.uniform(0, 100):.1f}%",
            lambda: f"{rng.randint(1, 28)} May {rng.randint(1950, 2025)}",
            lambda: " ".join(rng.choices(_WORDS, k=rng.randint(1, 3))),
            lambda: MADE["name"](rng),
            lambda: MADE["amount"](rng),
            lambda: rng.choice(("", "-", "n/a", "1st", "2-1", "yes")),
        )
    )()


def _table(rng: random.Random, _: Sequence[str]) -> tuple[list[str], str]:
    columns = rng.choice(_COLUMNS)
    width = rng.choice((0, 12, 20))
    rows = [columns, *([_cell(rng) for _ in columns] for _ in range(rng.randint(3, 16)))]
    mark = rng.choice(("| ", "| ", ",", "\t", ";"))
    if mark == "| ":
        lines = ["| " + " | ".join(cell.ljust(width) for cell in row) + " |" for row in rows]
        if rng.random() < 0.4:
            lines.insert(1, "|" + "---|" * len(columns))
    else:
        lines = [mark.join(row) for row in rows]
    return lines, "\n"


def _sentences(rng: random.Random, prose: Sequence[str], low: int, high: int) -> list[str]:
    return [rng.choice(prose) for _ in range(rng.randint(low, high))]


def _article(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    return _sentences(rng, prose, 4, 16), " "


def _paragraphs(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    heads = [f"# {' '.join(rng.choices(_WORDS, k=2))}"] if rng.random() < 0.5 else []
    return [*heads, *(" ".join(_sentences(rng, prose, 1, 4)) for _ in range(rng.randint(2, 5)))], (
        "\n\n"
    )


def _mail(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    subject = " ".join(rng.choices(_WORDS, k=2))
    head = rng.choice(
        (
            f"From: {MADE['email'](rng)}\nTo: {MADE['email'](rng)}\nSubject: {subject}\n",
            f"SUBJECT: {subject}\nEMAIL_FROM: {MADE['name'](rng)}\nCONTENT:",
            f"Hi {MADE['name'](rng)},",
            f"Subject: {subject}",
        )
    )
    return [head, *_sentences(rng, prose, 2, 8), f"{MADE['name'](rng)}"], "\n"


def _result(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    """A tool's answer in JSON, cut where a text value goes on, so what is planted is within."""
    key = rng.choice(("content", "text", "body", "review", "description", "snippet", "notes"))
    fields = {
        "id": rng.randint(1, 99_999),
        "title": " ".join(rng.choices(_WORDS, k=3)),
        "author": MADE["name"](rng),
        key: "@@",
        "date": f"2024-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
        "rating": rng.randint(1, 5),
    }
    before, after = json.dumps(fields, ensure_ascii=False).split("@@")
    inner = _sentences(rng, prose, 1, 4)
    return [before + inner[0], *inner[1:], after], ""


def _answer(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    """A question about code with its answer, as forums have them."""
    pieces = []
    for _ in range(rng.randint(1, 3)):
        pieces += [" ".join(_sentences(rng, prose, 1, 2)), f"```\n{rng.choice(_CODE)}\n```"]
    return pieces, "\n"


def _page(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    head = f"<html><head><title>{' '.join(rng.choices(_WORDS, k=2))}</title></head><body>"
    return [head, *(f"<p>{s}</p>" for s in _sentences(rng, prose, 2, 6)), "</body></html>"], "\n"


def _log(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    return [
        f"2024-05-{rng.randint(10, 28)} {rng.randint(10, 23)}:{rng.randint(10, 59)} "
        f"{rng.choice(('INFO', 'WARN', 'DEBUG', 'ERROR'))} {rng.choice(_WORDS).lower()}: "
        + rng.choice((rng.choice(prose), f"took {rng.randint(1, 900)} ms", "started", "done"))
        for _ in range(rng.randint(4, 10))
    ], "\n"


def _chat(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    names = [MADE["name"](rng).split()[0] for _ in range(3)]
    return [f"{rng.choice(names)}: {sentence}" for sentence in _sentences(rng, prose, 3, 9)], "\n"


def _yaml(rng: random.Random, prose: Sequence[str]) -> tuple[list[str], str]:
    return [
        f"- sender: {MADE['name'](rng)}\n  id: '{rng.randint(1, 99)}'\n  body: {rng.choice(prose)}"
        for _ in range(rng.randint(2, 5))
    ], "\n"


_KINDS: Sequence[Callable[[random.Random, Sequence[str]], tuple[list[str], str]]] = (
    _table, _article, _paragraphs, _mail, _result, _answer, _page, _log, _chat, _yaml,
)  # fmt: skip
_WEIGHTS = (4, 3, 2, 3, 8, 2, 1, 1, 1, 2)
