"""Words that say what a number is: "Steuer-ID", "NHS number", "codice fiscale", "tax_id".

A label is a few words in a row, read without case, accents and what stands between them, so
that "Steuer-ID", "steuer id" and "steuerId" are one. Most stand before their number; some
behind it ("123 456 782 (BSN)"), and in a table at the head of its column.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# How far from its number a label may stand, before and behind it, and what one behind it
# counts more: the label before is the likelier one.
BEFORE_CHARS = 80
BEHIND_CHARS = 16
BEHIND_GAP = 20
# What a number that its own words do not explain may be instead.
OTHER = "other"
_OTHER = (
    "order|invoice|ticket|tracking|reference|ref|version|release|isbn|issn|sku|serial|article|item"
    "|product|part|build|commit|port|timeout|amount|price|total|timestamp|epoch|uuid|hash|batch"
    "|key|quote|shipment|parcel|model|case|rows|records|bytes|error|request|session"
    "|bestellung|bestell|bestellnummer|rechnung|auftrag|vorgang|aktenzeichen|sendung|artikel"
    "|charge|betrag|version|commande|facture|reference|dossier|suivi|colis|montant|pedido"
    "|factura|referencia|envio|importe|ordine|fattura|riferimento|spedizione|importo"
    "|bestelling|factuur|kenmerk|zending|bedrag|encomenda|fatura|referencia|remessa|valor"
    "|zamowienie|faktura|nocol|colegiado|col|historia|expediente|registro|nhc"
    "|order number|order no|case number|ticket number"
)
MAX_WORDS = 5
# How long a line of a table may be, and how far above a number the head of its column.
HEAD_CHARS = 400
_JOIN_CHARS = 2
_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What may be grown onto a label: "Reisepassnummer", "passportNo".
_ENDINGS = ("nummern", "nummer", "number", "numero", "num", "nr", "no", "code")
_NUMBER = re.compile(r"\d{2}")
_COLUMN = re.compile(r"[,;|\t]")
_BREAK = re.compile(r"[,;.:|\n\"\d]")


class Vocabulary:
    """Which labels belong to which kinds of number. rows: labels, parted by "|", by kind."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        kinds: dict[str, set[str]] = {}
        self._firsts: set[str] = set()
        for kind, phrases in [*rows.items(), (OTHER, _OTHER)]:
            for phrase in filter(None, phrases.split("|")):
                words = [_plain(word) for word in _WORD.findall(phrase)]
                kinds.setdefault("".join(words), set()).add(kind)
                self._firsts.update((words[0], "".join(words)))
        self._kinds = {phrase: frozenset(found) for phrase, found in kinds.items()}

    def read(self, text: str) -> Labels:
        """The labels in a text."""
        return Labels(text, list(self._labels(list(_words(text)), text)))

    def _labels(self, words: Sequence[_Word], text: str) -> Iterator[_Label]:
        at = 0
        while at < len(words):
            step = 1
            if words[at].said in self._firsts:
                for count in range(_run(words, at, text), 0, -1):
                    kinds = self._kinds.get("".join(w.said for w in words[at : at + count]))
                    if kinds:
                        yield _Label(words[at].start, words[at + count - 1].end, kinds)
                        step = count
                        break
            else:
                kinds = self._grown(words[at].said)
                if kinds:
                    yield _Label(words[at].start, words[at].end, kinds)
            at += step

    def _grown(self, said: str) -> frozenset[str] | None:
        for ending in _ENDINGS:
            if said.endswith(ending):
                found = self._kinds.get(said.removesuffix(ending))
                if found:
                    return found
        return None


class Labels:
    """The labels of one text."""

    def __init__(self, text: str, labels: Sequence[_Label]) -> None:
        self.kinds = frozenset[str]().union(*(label.kinds for label in labels))
        self._text = text
        self._labels = labels
        self._starts = [label.start for label in labels]
        self._ends = [label.end for label in labels]

    def gap(
        self,
        kind: str,
        start: int,
        end: int,
        *,
        near_chars: int = BEFORE_CHARS,
        behind_chars: int = BEHIND_CHARS,
    ) -> int | None:
        """How many characters are between a number and the closest label of this kind.

        None if there is none. The label at the head of the number's column is right before it.
        """
        if kind not in self.kinds:
            return None
        gaps = [*self._before(kind, start, near_chars), *self._behind(kind, end, behind_chars)]
        if self._heads(kind, start):
            gaps.append(1)
        return min(gaps, default=None)

    def explained(self, start: int, near_chars: int) -> bool:
        """Whether any label stands this close before it, and no other number between."""
        at = bisect_right(self._ends, start) - 1
        if at < 0 or start - self._labels[at].end > near_chars:
            return False
        return not _NUMBER.search(self._text, self._labels[at].end, start)

    def other(self, start: int, gap: int) -> bool:
        """Whether a word for another kind of number stands closer before it."""
        found = next(iter(self._before(OTHER, start, BEFORE_CHARS)), None)
        return found is not None and found < gap

    def _before(self, kind: str, start: int, near_chars: int) -> Iterator[int]:
        for at in range(bisect_right(self._ends, start) - 1, -1, -1):
            label = self._labels[at]
            gap = start - label.end
            if gap > near_chars:
                return
            if kind in label.kinds:
                yield gap
                return

    def _behind(self, kind: str, end: int, near_chars: int) -> Iterator[int]:
        for at in range(bisect_left(self._starts, end), len(self._labels)):
            label = self._labels[at]
            gap = label.start - end
            if gap > near_chars or _BREAK.search(self._text, end, label.start):
                return
            if kind in label.kinds:
                yield gap + BEHIND_GAP
                return

    def _heads(self, kind: str, start: int) -> bool:
        """Whether such a label stands above, in a line without digits, in the same column."""
        line = self._text.rfind("\n", max(0, start - HEAD_CHARS), start) + 1
        if not line:
            return False
        column = len(_COLUMN.findall(self._text, line, start))
        first = bisect_left(self._starts, line - HEAD_CHARS)
        return any(
            kind in label.kinds and self._head_column(label, line) == column
            for label in self._labels[first : bisect_left(self._ends, line)]
        )

    def _head_column(self, label: _Label, before: int) -> int | None:
        first = self._text.rfind("\n", 0, label.start) + 1
        last = self._text.find("\n", label.end, before)
        head = self._text[first : last if last >= 0 else before]
        if not _COLUMN.search(head) or any(c.isdigit() for c in head):
            return None
        return len(_COLUMN.findall(self._text, first, label.start))


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    said: str


@dataclass(frozen=True, slots=True)
class _Label:
    start: int
    end: int
    kinds: frozenset[str]


def _words(text: str) -> Iterator[_Word]:
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        if word.islower() or word.isupper() or word.istitle():
            yield _Word(start, match.end(), _plain(word))
            continue
        for part in _HUMP.split(word):
            yield _Word(start, start + len(part), _plain(part))
            start += len(part)


def _run(words: Sequence[_Word], at: int, text: str) -> int:
    """How many words from this one on could be one label."""
    count = 1
    while count < MAX_WORDS and at + count < len(words):
        end, start = words[at + count - 1].end, words[at + count].start
        if start - end > _JOIN_CHARS or "\n" in text[end:start] or _digit(text[end:start]):
            break
        count += 1
    return count


def _digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


def _plain(word: str) -> str:
    """In small letters, without accents."""
    word = word.casefold()
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
