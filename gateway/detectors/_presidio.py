"""Which of presidio-analyzer's recognisers are used, and how they are run.

They run without an NLP model: words come from a plain tokeniser, which is all that
Presidio's context words need. presidio-analyzer is imported by this file alone, in `wrap`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.ports import Trigger
from gateway.detectors._identifiers import CLOSE_CHARS, LABELLED
from gateway.detectors._labels import BEFORE_CHARS
from gateway.detectors._reading import Found, Reading
from gateway.detectors._triggers import trigger


@dataclass(frozen=True, slots=True)
class Row:
    """One entity. country: whose identifier it is; empty for everyone's.

    labelled: only with a word nearby that says what the number is. Set where the form is
    weak or a single check digit is all there is: one in ten or eleven of all numbers of
    that length passes it, timestamps and order numbers among them.
    dropped: patterns that are left out, by Presidio's names for them.
    labels: words that say what the number is, beside Presidio's and those of its `Form`s.
    ours: whether Presidio's do not count.
    """

    recogniser: str
    country: str = ""
    labelled: bool = False
    dropped: tuple[str, ...] = ()
    labels: str = ""
    ours: bool = False


ROWS: dict[str, Row] = {
    # "::" is the unspecified address, which is nobody's, and in most texts a C++ scope.
    "IP_ADDRESS": Row("IpRecognizer", dropped=("IPv6_unspecified",)),
    "EMAIL_ADDRESS": Row("EmailRecognizer"),
    "CREDIT_CARD": Row("CreditCardRecognizer"),
    "IBAN_CODE": Row("IbanRecognizer"),
    "MAC_ADDRESS": Row("MacAddressRecognizer"),
    "CRYPTO": Row("CryptoRecognizer"),
    "US_SSN": Row("UsSsnRecognizer", "us"),
    "US_ITIN": Row("UsItinRecognizer", "us"),
    "US_PASSPORT": Row("UsPassportRecognizer", "us", labelled=True),
    "US_DRIVER_LICENSE": Row("UsLicenseRecognizer", "us", labelled=True),
    "US_BANK_NUMBER": Row("UsBankRecognizer", "us", labelled=True),
    "US_MBI": Row("UsMbiRecognizer", "us"),
    "US_NPI": Row(
        "UsNpiRecognizer", "us", labelled=True, labels="npi|national provider identifier"
    ),
    "ABA_ROUTING_NUMBER": Row(
        "AbaRoutingRecognizer",
        "us",
        labelled=True,
        labels="routing|routing number|aba|aba number|rtn|bank code",
    ),
    "MEDICAL_LICENSE": Row(
        "MedicalLicenseRecognizer", "us", labelled=True, labels="dea|dea number"
    ),
    "UK_NHS": Row("NhsRecognizer", "uk", labelled=True),
    "UK_NINO": Row("UkNinoRecognizer", "uk"),
    "UK_PASSPORT": Row("UkPassportRecognizer", "uk", labelled=True),
    "UK_DRIVING_LICENCE": Row("UkDrivingLicenceRecognizer", "uk"),
    "ES_NIF": Row("EsNifRecognizer", "es"),
    "ES_NIE": Row("EsNieRecognizer", "es"),
    "IT_FISCAL_CODE": Row("ItFiscalCodeRecognizer", "it"),
    "IT_PASSPORT": Row("ItPassportRecognizer", "it", labelled=True),
    "IT_IDENTITY_CARD": Row("ItIdentityCardRecognizer", "it", labelled=True),
    "DE_TAX_ID": Row("DeTaxIdRecognizer", "de", labelled=True),
    "DE_SOCIAL_SECURITY": Row("DeSocialSecurityRecognizer", "de"),
    "DE_HEALTH_INSURANCE": Row("DeHealthInsuranceRecognizer", "de", labelled=True),
    "DE_ID_CARD": Row("DeIdCardRecognizer", "de", labelled=True),
    # Its context words are those of any passport.
    "DE_PASSPORT": Row("DePassportRecognizer", "de", labelled=True, ours=True),
    "PL_PESEL": Row("PlPeselRecognizer", "pl", labelled=True),
    # The low pattern takes any ten characters with four digits among them.
    "IN_PAN": Row("InPanRecognizer", "in", dropped=("PAN (Low)",)),
    "IN_AADHAAR": Row("InAadhaarRecognizer", "in", labelled=True),
    "IN_VOTER": Row("InVoterRecognizer", "in", labelled=True, labels="voter|voter id|epic"),
    "IN_PASSPORT": Row(
        "InPassportRecognizer", "in", labelled=True, labels="passport|indian passport"
    ),
    "SG_NRIC_FIN": Row("SgFinRecognizer", "sg"),
    "AU_TFN": Row("AuTfnRecognizer", "au", labelled=True, labels="tfn|tax file number"),
    "AU_ABN": Row("AuAbnRecognizer", "au", labelled=True, labels="abn|australian business number"),
    "AU_MEDICARE": Row(
        "AuMedicareRecognizer", "au", labelled=True, labels="medicare|medicare number"
    ),
    "CA_SIN": Row("CaSinRecognizer", "ca", labelled=True),
    "FI_PERSONAL_IDENTITY_CODE": Row("FiPersonalIdentityCodeRecognizer", "fi"),
    "SE_PERSONNUMMER": Row("SePersonnummerRecognizer", "se", labelled=True),
    "KR_RRN": Row("KrRrnRecognizer", "kr"),
    "TH_TNIN": Row("ThTninRecognizer", "th", labelled=True, labels="thai id"),
    "TR_NATIONAL_ID": Row("TrNationalIdRecognizer", "tr", labelled=True, labels="tc kimlik|kimlik"),
    "ZA_ID_NUMBER": Row(
        "ZaIdNumberRecognizer", "za", labelled=True, labels="id number|south african id"
    ),
}

# RFC 5321, section 4.5.3.1: the longest local part and the longest domain.
LOCAL_CHARS = 64
DOMAIN_CHARS = 255
LICENCE_CHARS = 6

# RFC 2606, RFC 6762 (with its appendix G) and ICANN's resolution of 29 July 2024: names that
# no registry gives out, so that no public-suffix list has them.
RESERVED = frozenset(
    ("example", "test", "invalid", "localhost", "local", "internal", "intranet", "private",
     "corp", "home", "lan")
)  # fmt: skip
VALID = 1.0
_CAPITALS = re.compile("[0-9A-Z]+")
# What is said right before a version of four numbers.
_VERSION = re.compile(r"\b(?:version|release|build|rev|v)[ .:]{0,3}$", re.IGNORECASE)


class _Ours(list[Any]):
    """Results that may be changed in place: the enhancer copies deeply what it is given."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Ours:
        return self


class Presidio:
    """One of Presidio's recognisers, with its triggers and its context words."""

    def __init__(self, entity: str, row: Row, wrapped: Any, enhancer: Any) -> None:
        self.entity = entity
        self._row = row
        self._wrapped = wrapped
        self._enhancer = enhancer
        self._context = frozenset(word.lower() for word in wrapped.context or ())

    @property
    def triggers(self) -> list[Trigger]:
        """One for each pattern, derived from it."""
        flags = int(self._wrapped.global_regex_flags) & (re.IGNORECASE | re.MULTILINE | re.DOTALL)
        return [trigger(self.entity, p.regex, flags) for p in self._wrapped.patterns]

    def find(self, reading: Reading) -> Iterator[Found]:
        """What it finds in the text."""
        if self._row.labelled and not self._told(reading):
            return
        results = self.analyze(reading.text)
        if not results:
            return
        valid = {(r.start, r.end) for r in results if r.score >= VALID}
        results = self._enhancer.enhance_using_context(
            reading.text, _Ours(results), reading.words, [self._wrapped]
        )
        for result in self._wrapped.remove_duplicates(results):
            checked = (result.start, result.end) in valid
            said = self._said(result, reading, checked=checked)
            if said is not None:
                gap, least = said
                score = max(float(result.score), least)
                yield Found(result.start, result.end, score, checked, gap)
            elif not self._row.labelled:
                yield Found(result.start, result.end, float(result.score), checked)

    def _told(self, reading: Reading) -> bool:
        """Whether any word in the text could say that there is one."""
        if self.entity in reading.labels.kinds:
            return True
        return not self._row.ours and not self._context.isdisjoint(reading.words.keywords)

    def analyze(self, text: str) -> list[Any]:
        """Presidio's own answer, without context."""
        try:
            results: list[Any] = self._wrapped.analyze(text, [self.entity])
        except (KeyError, ValueError):
            # Some check digits are computed for ASCII alone, but patterns match any digit.
            results = self._wrapped.analyze(text.encode("ascii", "replace").decode(), [self.entity])
        return results

    def _said(self, result: Any, reading: Reading, *, checked: bool) -> tuple[int, float] | None:
        """How far off the words are that say what it is, and the least score that they give.

        The words are ours, or Presidio's context word, which it has counted already.
        """
        near_chars = BEFORE_CHARS if checked else CLOSE_CHARS
        gap = reading.labels.gap(self.entity, result.start, result.end, near_chars=near_chars)
        if gap is not None:
            other = not checked and reading.labels.other(result.start, gap)
            return None if other else (gap, LABELLED)
        word = result.analysis_explanation.supportive_context_word
        if not word or self._row.ours:
            return None
        # One character more than it is: where the words of two are as close, ours say more.
        at = reading.text.lower().rfind(word, max(0, result.start - BEFORE_CHARS), result.start)
        return (result.start - at - len(word) + 1 if at >= 0 else BEFORE_CHARS), 0.0


class Email(Presidio):
    """Looks round each "@" only: the pattern has no bound and would take quadratic time.

    Of a longer local part or domain than RFC 5321 allows, only that much is found.
    """

    @property
    def triggers(self) -> list[Trigger]:
        """Fires on the "@" and a character on either side of it, well before the end."""
        return [trigger(self.entity, r"[!#$%&'*+\-/=?^_`{|}~\w]@\w", before_chars=LOCAL_CHARS - 1)]

    def analyze(self, text: str) -> list[Any]:
        """Those round an "@"."""
        out = []
        for match in re.finditer("@", text):
            at = match.start()
            first = max(0, at - LOCAL_CHARS)
            for result in super().analyze(text[first : at + 1 + DOMAIN_CHARS]):
                result.start += first
                result.end += first
                if result.start < at < result.end:
                    out.append(result)
        return out


class Licence(Presidio):
    """Presidio's driver licences, for numbers of six characters and more.

    The shortest that its patterns take are a letter and a digit: S3, C4, v2.
    """

    @property
    def triggers(self) -> list[Trigger]:
        """Each of its forms, from six characters on, holds one of these.

        What can stand before the letter is at most two digits and two letters.
        """
        return [trigger(self.entity, "[A-Z][0-9]{4}|[0-9]{6}", re.IGNORECASE, before_chars=4)]

    def analyze(self, text: str) -> list[Any]:
        """Those that are long enough."""
        return [r for r in super().analyze(text) if r.end - r.start >= LICENCE_CHARS]


class SocialSecurity(Presidio):
    """Presidio's social security numbers."""

    @property
    def triggers(self) -> list[Trigger]:
        """All its patterns are nine digits with a mark behind the third, the fifth, or both."""
        return [trigger(self.entity, "[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{2}")]


class Pan(Presidio):
    """Presidio's Indian tax numbers: five letters, four digits, a letter."""

    @property
    def triggers(self) -> list[Trigger]:
        """Stands on the digits: a text of letters alone costs nothing."""
        return [trigger(self.entity, "[A-Z][0-9]{4}[A-Z]", re.IGNORECASE, before_chars=4)]


class FiscalCode(Presidio):
    """Presidio's Italian fiscal codes, if the year of birth is in digits.

    Where two people would have the same code, letters take the place of digits, from the last
    on (decree of 23 December 1976, article 6): those of the year would be the last to go.
    """

    @property
    def triggers(self) -> list[Trigger]:
        """Stands on the year: a text of letters alone costs nothing."""
        return [trigger(self.entity, "[A-Z][0-9]{2}[A-EHLMPRST]", re.IGNORECASE, before_chars=5)]

    def analyze(self, text: str) -> list[Any]:
        """Those with a year."""
        return [r for r in super().analyze(text) if text[r.start + 6 : r.start + 8].isdigit()]


class Document(Presidio):
    """Presidio's numbers of German documents, in capitals as they are printed."""

    @property
    def triggers(self) -> list[Trigger]:
        """The last of nine characters is a digit."""
        return [trigger(self.entity, "[0-9A-Z]{8}[0-9]")]

    def analyze(self, text: str) -> list[Any]:
        """Those in capitals."""
        found = super().analyze(text)
        return [r for r in found if _CAPITALS.fullmatch(text, r.start, r.end)]


class Machine(Presidio):
    """Presidio's addresses of machines, but for versions of four numbers."""

    def analyze(self, text: str) -> list[Any]:
        """Those that no word calls a version."""
        return [
            r
            for r in super().analyze(text)
            if not _VERSION.search(text, max(0, r.start - 12), r.start)
        ]


_SPECIAL = {
    "DE_ID_CARD": Document,
    "DE_PASSPORT": Document,
    "EMAIL_ADDRESS": Email,
    "IN_PAN": Pan,
    "IP_ADDRESS": Machine,
    "IT_FISCAL_CODE": FiscalCode,
    "US_DRIVER_LICENSE": Licence,
    "US_SSN": SocialSecurity,
}


def wrap(entities: Sequence[str]) -> list[Presidio]:
    """The recognisers of these entities. Imports presidio-analyzer: seconds."""
    from presidio_analyzer import predefined_recognizers  # noqa: PLC0415

    enhancer = _enhancer()
    out = []
    for entity in entities:
        row = ROWS[entity]
        wrapped = getattr(predefined_recognizers, row.recogniser)()
        if row.dropped:
            wrapped.patterns = [p for p in wrapped.patterns if p.name not in row.dropped]
        if entity == "EMAIL_ADDRESS":
            wrapped.validate_result = _domain_check()
        out.append(_SPECIAL.get(entity, Presidio)(entity, row, wrapped, enhancer))
    return out


def _enhancer() -> Any:
    """Presidio's context enhancer, by whole words: "lic" is no word of "public".

    It looks up each match's word from the start of the text, which takes quadratic time;
    here that is a binary search for the same word.
    """
    from presidio_analyzer.context_aware_enhancers import (  # noqa: PLC0415
        LemmaContextAwareEnhancer,
    )

    enhancer = LemmaContextAwareEnhancer(context_matching_mode="whole_word")
    setattr(enhancer, "_find_index_of_match_token", _word_at)  # noqa: B010
    return enhancer


def _word_at(word: str, start: int, tokens: Sequence[str], tokens_indices: Sequence[int]) -> int:
    """Index of the word that covers `start`, or else of the next one."""
    index = max(0, bisect_right(tokens_indices, start) - 1)
    if start >= tokens_indices[index] + len(tokens[index]):
        index += 1
    return min(index, len(tokens) - 1)


def stop_words() -> frozenset[str]:
    """Words too common to say what a number is."""
    from spacy.lang.en.stop_words import STOP_WORDS  # noqa: PLC0415

    return frozenset(STOP_WORDS)


def _domain_check() -> Any:
    """Presidio's check of an address, with the public-suffix list that tldextract carries.

    Presidio's own call would fetch the list from the network at its first use.
    """
    from tldextract import TLDExtract  # noqa: PLC0415

    extract = TLDExtract(suffix_list_urls=(), cache_dir=None)

    def is_domain(address: str) -> bool:
        name = address.rpartition("@")[2].rstrip(".").lower()
        return name.rpartition(".")[2] in RESERVED or extract(address).fqdn != ""

    return is_domain
