"""Which of presidio-analyzer's recognisers are used, and how they are run.

They run without an NLP model: words come from a plain tokeniser, which is all that
Presidio's context words need. presidio-analyzer is imported by this file alone, in
`recognisers`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.ports import Trigger
from gateway.detectors._triggers import trigger


@dataclass(frozen=True, slots=True)
class Row:
    """One entity. country: whose identifier it is; empty for everyone's.

    labelled: only with a word nearby that says what the number is. Set where the form is
    weak or a single check digit is all there is: one in ten or eleven of all numbers of
    that length passes it, timestamps and order numbers among them.
    dropped: patterns that are left out, by Presidio's names for them.
    """

    recogniser: str
    country: str = ""
    labelled: bool = False
    dropped: tuple[str, ...] = ()


ENTITIES: dict[str, Row] = {
    # "::" is the unspecified address, which is nobody's, and in most texts a C++ scope.
    "IP_ADDRESS": Row("IpRecognizer", dropped=("IPv6_unspecified",)),
    "EMAIL_ADDRESS": Row("EmailRecognizer"),
    "PHONE_NUMBER": Row("PhoneRecognizer"),
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
    "US_NPI": Row("UsNpiRecognizer", "us", labelled=True),
    "ABA_ROUTING_NUMBER": Row("AbaRoutingRecognizer", "us", labelled=True),
    "MEDICAL_LICENSE": Row("MedicalLicenseRecognizer", "us", labelled=True),
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
    "DE_PASSPORT": Row("DePassportRecognizer", "de", labelled=True),
    "PL_PESEL": Row("PlPeselRecognizer", "pl", labelled=True),
    # The low pattern takes any ten characters with four digits among them.
    "IN_PAN": Row("InPanRecognizer", "in", dropped=("PAN (Low)",)),
    "IN_AADHAAR": Row("InAadhaarRecognizer", "in", labelled=True),
    "IN_VOTER": Row("InVoterRecognizer", "in", labelled=True),
    "IN_PASSPORT": Row("InPassportRecognizer", "in", labelled=True),
    "SG_NRIC_FIN": Row("SgFinRecognizer", "sg"),
    "AU_TFN": Row("AuTfnRecognizer", "au", labelled=True),
    "AU_ABN": Row("AuAbnRecognizer", "au", labelled=True),
    "AU_MEDICARE": Row("AuMedicareRecognizer", "au", labelled=True),
    "CA_SIN": Row("CaSinRecognizer", "ca", labelled=True),
    "FI_PERSONAL_IDENTITY_CODE": Row("FiPersonalIdentityCodeRecognizer", "fi"),
    "SE_PERSONNUMMER": Row("SePersonnummerRecognizer", "se", labelled=True),
    "KR_RRN": Row("KrRrnRecognizer", "kr"),
    "TH_TNIN": Row("ThTninRecognizer", "th", labelled=True),
    "TR_NATIONAL_ID": Row("TrNationalIdRecognizer", "tr", labelled=True),
    "ZA_ID_NUMBER": Row("ZaIdNumberRecognizer", "za", labelled=True),
}
COUNTRIES = tuple(sorted({row.country for row in ENTITIES.values()} - {""}))
DEFAULT_COUNTRIES = ("us", "uk", "es", "it", "de", "pl", "in", "sg", "au")

# RFC 5321, section 4.5.3.1: the longest local part and the longest domain.
LOCAL_CHARS = 64
DOMAIN_CHARS = 255
# Shorter numbers that phonenumbers takes for possible are mostly something else.
PHONE_DIGITS = 7
# Presidio's, but for CA: it shares the numbering plan of US, and each region costs a pass.
PHONE_REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "BR")
# phonenumbers: up to two lead marks, each with up to four marks behind it.
PHONE_LEAD_CHARS = 10

LICENCE_CHARS = 6

# Hyphenated words are one word ("Steuer-ID"); numbers and marks stand by themselves.
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\w+|[^\w\s]+")
# What ends the digits of a number and begins its extension.
_EXTENSION = re.compile(r"[^\W\d_xX]|[;,#]")


@dataclass(frozen=True, slots=True)
class Found:
    """What a recogniser found: characters [start, end) and Presidio's score, context included."""

    start: int
    end: int
    score: float


class Words:
    """A text's words as Presidio's context enhancer reads them (its NlpArtifacts)."""

    def __init__(self, text: str, stop_words: frozenset[str]) -> None:
        matches = list(_WORD.finditer(text))
        self.tokens = [match.group() for match in matches]
        self.tokens_indices = [match.start() for match in matches]
        self.lemmas = self.tokens
        self.keywords = {
            word
            for word in (token.lower() for token in self.tokens)
            if word[0].isalnum() and word not in stop_words
        }


class _Ours(list[Any]):
    """Results that may be changed in place: the enhancer copies deeply what it is given."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Ours:
        return self


class Recogniser:
    """One of Presidio's recognisers, with its triggers and its context words."""

    def __init__(self, entity: str, row: Row, wrapped: Any, enhancer: Any) -> None:
        self.entity = entity
        self._row = row
        self._wrapped = wrapped
        self._enhancer = enhancer

    @property
    def triggers(self) -> list[Trigger]:
        """One for each pattern, derived from it."""
        flags = int(self._wrapped.global_regex_flags) & (re.IGNORECASE | re.MULTILINE | re.DOTALL)
        return [trigger(self.entity, p.regex, flags) for p in self._wrapped.patterns]

    def find(self, text: str, words: Words) -> list[Found]:
        """What it finds in the text. words: those of the same text."""
        results = self._analyze(text)
        if not results:
            return []
        results = self._enhancer.enhance_using_context(text, _Ours(results), words, [self._wrapped])
        results = self._wrapped.remove_duplicates(results)
        return [
            Found(r.start, r.end, float(r.score))
            for r in results
            if not self._row.labelled or r.analysis_explanation.supportive_context_word
        ]

    def _analyze(self, text: str) -> list[Any]:
        try:
            results: list[Any] = self._wrapped.analyze(text, [self.entity])
        except (KeyError, ValueError):
            # Some check digits are computed for ASCII alone, but patterns match any digit.
            results = self._wrapped.analyze(text.encode("ascii", "replace").decode(), [self.entity])
        return results


class EmailRecogniser(Recogniser):
    """Looks round each "@" only: the pattern has no bound and would take quadratic time.

    Of a longer local part or domain than RFC 5321 allows, only that much is found.
    """

    @property
    def triggers(self) -> list[Trigger]:
        """Fires on the "@" and a character on either side of it, well before the end."""
        return [trigger(self.entity, r"[!#$%&'*+\-/=?^_`{|}~\w]@\w", before_chars=LOCAL_CHARS - 1)]

    def _analyze(self, text: str) -> list[Any]:
        out = []
        for match in re.finditer("@", text):
            at = match.start()
            first = max(0, at - LOCAL_CHARS)
            for result in super()._analyze(text[first : at + 1 + DOMAIN_CHARS]):
                result.start += first
                result.end += first
                if result.start < at < result.end:
                    out.append(result)
        return out


class PhoneRecogniser(Recogniser):
    """Presidio's, for numbers of seven digits and more, without counting the extension."""

    @property
    def triggers(self) -> list[Trigger]:
        """Fires on the seventh digit, with at most four marks between two digits.

        That is how phonenumbers looks for candidates; its dashes, spaces and brackets
        beyond ASCII are folded to those named here.
        """
        gap = r"[-x./~()\[\]\s+]{0,4}"
        pattern = rf"[0-9](?:{gap}[0-9]){{{PHONE_DIGITS - 1}}}"
        return [trigger(self.entity, pattern, re.IGNORECASE, before_chars=PHONE_LEAD_CHARS)]

    def _analyze(self, text: str) -> list[Any]:
        return [r for r in super()._analyze(text) if _digits(text[r.start : r.end]) >= PHONE_DIGITS]


class LicenceRecogniser(Recogniser):
    """Presidio's driver licences, for numbers of six characters and more.

    The shortest that its patterns take are a letter and a digit: S3, C4, v2.
    """

    @property
    def triggers(self) -> list[Trigger]:
        """Each of its forms, from six characters on, holds one of these.

        What can stand before the letter is at most two digits and two letters.
        """
        return [trigger(self.entity, "[A-Z][0-9]{4}|[0-9]{6}", re.IGNORECASE, before_chars=4)]

    def _analyze(self, text: str) -> list[Any]:
        return [r for r in super()._analyze(text) if r.end - r.start >= LICENCE_CHARS]


_SPECIAL = {
    "EMAIL_ADDRESS": EmailRecogniser,
    "PHONE_NUMBER": PhoneRecogniser,
    "US_DRIVER_LICENSE": LicenceRecogniser,
}


def recognisers(entities: Sequence[str]) -> list[Recogniser]:
    """The recognisers of these entities. Imports presidio-analyzer: seconds."""
    from presidio_analyzer import predefined_recognizers  # noqa: PLC0415

    enhancer = _enhancer()
    out = []
    for entity in entities:
        row = ENTITIES[entity]
        options = {"supported_regions": PHONE_REGIONS} if entity == "PHONE_NUMBER" else {}
        wrapped = getattr(predefined_recognizers, row.recogniser)(**options)
        if row.dropped:
            wrapped.patterns = [p for p in wrapped.patterns if p.name not in row.dropped]
        if entity == "EMAIL_ADDRESS":
            wrapped.validate_result = _domain_check()
        out.append(_SPECIAL.get(entity, Recogniser)(entity, row, wrapped, enhancer))
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
    return lambda text: extract(text).fqdn != ""


def _digits(number: str) -> int:
    extension = _EXTENSION.search(number)
    return sum(c.isdecimal() for c in (number[: extension.start()] if extension else number))
