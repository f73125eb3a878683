"""Telephone numbers, told from other numbers by how they are written and by words beside them.

The numbering plans are those of Google's libphonenumber (the package phonenumbers), read
once; numbers are then told by regular expressions alone. Its own matcher would look for the
plans of all countries at each number of a text, which costs milliseconds a kB, and takes any
ten digits for a number in the United States.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.detectors._identifiers import MIN_DIGITS
from gateway.detectors._reading import Found, Reading

ENTITY = "PHONE_NUMBER"
LABELS = (
    "phone|phone number|telephone|tel|mobile|cell|cellphone|cell phone|call|calls|calling|ring|dial"
    "|fax|whatsapp|sms|reach|reached|reachable|contact|contact number|hotline|voicemail|landline"
    "|telefon|telefonnummer|handy|handynummer|mobil|mobilnummer|mobiltelefon|rufnummer|ruf|anruf"
    "|anrufen|erreichbar|erreichen|ruckruf|durchwahl|telefonisch|telephone|portable|appeler"
    "|appelez|joindre|joignable|telecopie|gsm|telefono|movil|llamar|llame|llamame|celular|tfno|tlf"
    "|cellulare|cell|chiamare|chiama|chiamami|recapito|telefoon|telefoonnummer|mobiel|bellen|bel"
    "|bereikbaar|telefone|telemovel|ligue|ligar|contato|contacto|contatto|phones|tels|mob|telefoon"
    "|telefonu|komorka|puhelin|text me|messages to|answering at|office|home|work|faks"
)
MAX_DIGITS = 15
# Words that stand further off say nothing of a number.
NEAR_CHARS = 50
BEHIND_CHARS = 3
# A word for another kind of number that stands as close as this explains the number.
EXPLAINED_CHARS = 24
INTERNATIONAL, LABELLED, SHAPED, PLAIN = 0.75, 0.75, 0.6, 0.4

REGIONS = {
    "us": "US", "uk": "GB", "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "nl": "NL", "pt": "PT",
    "ie": "IE", "ca": "CA", "au": "AU", "in": "IN", "br": "BR", "pl": "PL", "se": "SE", "fi": "FI",
    "be": "BE", "ch": "CH", "at": "AT", "sg": "SG", "kr": "KR", "th": "TH", "tr": "TR", "za": "ZA",
}  # fmt: skip

_GAP = r"[ \u00a0\u202f.\-/()]{0,3}"
NUMBER = re.compile(
    rf"(?<![\w@#%$€£=])(?<![0-9][-.:,/])(?<![0-9A-Fa-f]{{4}}-)"
    rf"(?:\+|\(\+|\()?[0-9](?:{_GAP}[0-9]){{6,19}}"
    r"(?P<extension>[ ,]{0,2}(?:x|ext\.?|extension|Durchwahl|DW|poste|interno|anexo|#)"
    r" ?[0-9]{1,6})?"
    r"(?!\w|[-.:/][0-9]|[.,]?[0-9]| ?[€%]|@\w)"
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}([-./])[0-9]{1,2}\1[0-9]{1,2}(?:[ T][0-9].*)?"
    r"|[0-9]{1,2}([-./])[0-9]{1,2}\2(?:19|20)?[0-9]{2}(?: [0-9].*)?"
)
_FOUR_BYTES = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_YEARS = re.compile(r"(?:1[89]|20)[0-9]{2} ?[-/] ?(?:1[89]|20)[0-9]{2}")
_DIGIT_BEFORE = re.compile(r"[0-9][ \u00a0\u202f]?$")
_DIGIT_BEHIND = re.compile(r"[ \u00a0\u202f.-]?[0-9]")
_TRUNK = re.compile(r"\(0\)")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_GROUPS = re.compile(r"[0-9]+")

# How numbers without a leading zero are grouped where people write them without the
# country's code; in order of groups, by region.
_SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {
    "US": ((3, 3, 4), (1, 3, 3, 4)),
    "CA": ((3, 3, 4), (1, 3, 3, 4)),
    "ES": ((3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2)),
    "IT": ((3, 3, 4), (3, 7), (3, 6), (3, 3, 3), (3, 2, 2, 3)),
    "PT": ((3, 3, 3), (2, 3, 4)),
    "PL": ((3, 3, 3), (2, 3, 2, 2)),
    "BR": ((2, 5, 4), (2, 4, 4), (2, 1, 4, 4)),
    "IN": ((5, 5), (3, 3, 4)),
    "SG": ((4, 4),),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region's numbers. trunk: what goes before them at home (in Italy it is part of them)."""

    region: str
    trunk: str
    numbers: re.Pattern[str]

    def at_home(self, digits: str) -> bool:
        """Whether this is a number as it is dialled in the region."""
        if self.trunk and digits.startswith(self.trunk):
            return self.numbers.fullmatch(digits[len(self.trunk) :]) is not None
        return self.numbers.fullmatch(digits) is not None


class Phones:
    """Finds telephone numbers. regions: whose numbers are known without a country's code."""

    entity = ENTITY

    def __init__(self, regions: Sequence[str]) -> None:
        """Reads the plans: some milliseconds each."""
        self._plans = tuple(_plan(region) for region in regions)

    def find(self, reading: Reading) -> Iterator[Found]:
        """Numbers with a country's code, of a known plan and shape, or with a word beside."""
        for match in NUMBER.finditer(reading.text):
            if match["extension"]:
                first = self._rated(match.start(), match.end(), match.start("extension"), reading)
                if first:
                    yield first
                    continue
            yield from self._parts(match.start(), match.end(), reading)

    def _parts(self, start: int, end: int, reading: Reading) -> Iterator[Found]:
        """The longest stretches of whole groups, from the left, that are numbers."""
        starts = [start, *(m.end() for m in re.finditer(r"\s+", reading.text[start:end]))]
        starts[1:] = [start + at for at in starts[1:]]
        ends = [*(s - 1 for s in starts[1:]), end]
        at = 0
        while at < len(starts):
            for last in range(len(starts) - 1, at - 1, -1):
                found = self._rated(starts[at], ends[last], ends[last], reading)
                if found:
                    yield found
                    at = last
                    break
            at += 1

    def _rated(self, start: int, end: int, number_end: int, reading: Reading) -> Found | None:
        brackets = [c for c in reading.text[start:number_end] if c in "()"]
        start += brackets.count("(") > brackets.count(")") and reading.text[start] == "("
        written = reading.text[start:number_end].rstrip(" -./(\u00a0\u202f")
        end = max(end, start + len(written)) if end > number_end else start + len(written)
        digits = _NOT_DIGITS.sub("", _TRUNK.sub("", written))
        if not MIN_DIGITS <= len(digits) <= MAX_DIGITS or _elsewhere(written):
            return None
        gap = self._gap(reading, start, end)
        score = LABELLED if gap is not None else self._shown(written, digits)
        if written.startswith("00") and _DIGIT_BEFORE.search(
            reading.text, max(0, start - 4), start
        ):
            return None
        if gap is None and score < INTERNATIONAL and self._taken(start, end, reading):
            return None
        if not score:
            return None
        return Found(start, end, score, gap=gap)

    def _gap(self, reading: Reading, start: int, end: int) -> int | None:
        gap = reading.labels.gap(
            ENTITY, start, end, near_chars=NEAR_CHARS, behind_chars=BEHIND_CHARS
        )
        return None if gap is None or reading.labels.other(start, gap) else gap

    def _taken(self, start: int, end: int, reading: Reading) -> bool:
        """Whether other words explain it, or it is part of a longer number."""
        return (
            reading.labels.explained(start, EXPLAINED_CHARS)
            or _DIGIT_BEFORE.search(reading.text, max(0, start - 4), start) is not None
            or _DIGIT_BEHIND.match(reading.text, end) is not None
        )

    def _shown(self, written: str, digits: str) -> float:
        """How much the way in which it is written says for it."""
        if "+" in written[:2] or (written.startswith("00") and len(digits) > 9):
            return INTERNATIONAL if _abroad(digits.removeprefix("00")) else 0.0
        groups = tuple(len(group) for group in _GROUPS.findall(written))
        if digits.startswith("0"):
            if not any(plan.at_home(digits) for plan in self._plans):
                return 0.0
            return SHAPED if len(groups) > 1 else PLAIN
        if any(
            groups in _SHAPES.get(plan.region, ()) and plan.at_home(digits) for plan in self._plans
        ):
            return SHAPED if written.startswith("(") else PLAIN
        return 0.0


def _abroad(digits: str) -> bool:
    """Whether a country has numbers of this code and length (ITU-T E.164)."""
    from phonenumbers import NumberParseException, is_possible_number, parse  # noqa: PLC0415

    try:
        return is_possible_number(parse(f"+{digits}"))
    except NumberParseException:
        return False


def _elsewhere(written: str) -> bool:
    """Whether it is written as a day, a span of years or an address of a machine."""
    return any(p.fullmatch(written) for p in (_DATE, _FOUR_BYTES, _YEARS))


def _plan(region: str) -> _Plan:
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    data: Any = PhoneMetadata.metadata_for_region(region)
    kinds = (
        data.fixed_line, data.mobile, data.toll_free, data.premium_rate, data.shared_cost,
        data.personal_number, data.voip, data.pager, data.uan,
    )  # fmt: skip
    patterns = {kind.national_number_pattern for kind in kinds if kind is not None}
    return _Plan(
        region, data.national_prefix or "", re.compile("|".join(sorted(filter(None, patterns))))
    )
