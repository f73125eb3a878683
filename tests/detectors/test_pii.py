from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigError
from gateway.core.judgement import Finding
from gateway.core.ports import Detector
from gateway.detectors import pii as module
from gateway.detectors._identifiers import TRIGGERS
from gateway.detectors._jobs import Task, perform
from gateway.detectors._locator import Locator
from gateway.detectors._national import FORMS
from gateway.detectors._presidio import ROWS
from tests.timing import assert_linear

Identify = Callable[..., list[Finding]]

# One good value each, with the words it needs. All made up; check digits are right.
GOOD = {
    "EMAIL_ADDRESS": "jane.doe+x@mail.example.co.uk",
    "PHONE_NUMBER": "call +1 415-555-2671",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "IP_ADDRESS": "2001:db8::ff00:42:8329",
    "MAC_ADDRESS": "00:1A:2B:3C:4D:5E",
    "CRYPTO": "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "US_SSN": "SSN 536-22-8726",
    "US_ITIN": "912-72-1234",
    "US_PASSPORT": "passport 912803456",
    "US_DRIVER_LICENSE": "driver license D1234567",
    "US_BANK_NUMBER": "bank account 945456787654",
    "US_MBI": "1EG4-TE5-MK73",
    "US_NPI": "npi 1234567893",
    "ABA_ROUTING_NUMBER": "routing 1210-0024-8",
    "MEDICAL_LICENSE": "medical certificate BB1388568",
    "UK_NHS": "nhs number 943 476 5919",
    "UK_NINO": "AB 12 34 56 C",
    "UK_PASSPORT": "passport AB1234567",
    "UK_DRIVING_LICENCE": "MORGA657054SM9IJ",
    "ES_NIF": "12345678Z",
    "ES_NIE": "X9613851N",
    "IT_FISCAL_CODE": "RSSMRA85T10A562S",
    "IT_PASSPORT": "passaporto AA1234567",
    "IT_IDENTITY_CARD": "carta AA1234567",
    "DE_TAX_ID": "Steuer-ID 65929970489",
    "DE_SOCIAL_SECURITY": "65170839J003",
    "IN_PAN": "ABCPE1234F",
    "SG_NRIC_FIN": "S1234567D",
    "AU_TFN": "tfn 876 543 210",
    "AU_ABN": "abn 51 824 753 556",
    "AU_MEDICARE": "medicare 2123 45670 1",
    "CA_SIN": "sin 130-692-544",
    "FI_PERSONAL_IDENTITY_CODE": "010594Y9032",
    "PL_PESEL": "PESEL 44051401359",
    "KR_RRN": "960121-1357907",
}
BAD = [
    "4111 1111 1111 1112",  # check digit
    "DE89 3704 0044 0532 0130 01",
    "999.1.1.1 and ::",
    "std::cout << x;",
    "945456787654 and 912803456",  # no word says what it is
    "order 17000 of 2024-01-15 10:30:00",
    "S3, C4 and v2 are no licences; driver S3",
    "nobody@localhost",
    "user@",
    "+49 123",
]


@functools.cache
def hints(detector: Detector) -> tuple[str, ...]:
    """All that there are."""
    return tuple(sorted({trigger.hint for trigger in detector.load() or ()}))


def every_hint(detector: Detector, text: str) -> list[tuple[str, ...]]:
    return [hints(detector)]


@pytest.mark.parametrize("entity", GOOD)
def test_each_entity_is_found(identified: Identify, entity: str) -> None:
    text = f"Note: {GOOD[entity]}."
    assert entity in {f.category for f in identified(text)}


@pytest.mark.parametrize("text", BAD)
def test_what_only_looks_like_it_is_not(identified: Identify, text: str) -> None:
    assert identified(text) == []


def test_digits_that_no_check_is_made_for_break_no_recogniser(
    pii: Detector, identified: Identify
) -> None:
    text = "codice fiscale RSSMRA8\uff15T10A562S, mail anna@example.org"
    assert "EMAIL_ADDRESS" in {f.category for f in identified(text)}
    detected = pii.detect([text], every_hint(pii, text))
    assert "DETECTOR_ERROR" not in {f.category for f in detected[0]}


WORDS = [
    "the", "passport", "account", "card", "ssn", "tfn", "ext. 12", "x", "1 1 1", "\n", "\u00a0",
    "(", ")", "+", "/", ":", "@", "_", "0", "12", "345", "6789", "1234567", "A1", "AB", "a.b",
    "10.0.0.1", "Straße", "дом", "名前", "é", "١٢٣", "４１１１", "½", "²", "ſ", "K", "İ", "😀", "–",
    "\u2011", "\ud800",
]  # fmt: skip
PIECES = st.one_of(
    st.sampled_from(list(GOOD.values())),
    st.sampled_from(WORDS),
    st.text(alphabet="0123456789 -./()+", min_size=4, max_size=20),
    st.text(max_size=8),
    st.from_regex(r"\A[A-Z]{1,3}[0-9]{5,12}[A-Z]?\Z"),
)
TEXTS = st.lists(
    st.tuples(PIECES, st.sampled_from(["", " ", " ", "-", "\u2009"])), max_size=12
).map(lambda pairs: "".join(a + b for a, b in pairs))
fuzzed = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzzed
@given(text=TEXTS)
def test_the_fast_path_finds_what_all_recognisers_find(
    pii: Detector, identified: Identify, text: str
) -> None:
    assert identified(text) == identified(text, hints(pii))


@fuzzed
@given(text=TEXTS, data=st.data())
def test_triggers_announce_every_finding_in_time(
    pii: Detector, pii_locator: Locator, text: str, data: st.DataObject
) -> None:
    """What a stream relies on: until a trigger ends, nothing within its reach may leave."""
    ends = pii_locator.locate(text, ["pii"])
    for finding in pii.detect([text], every_hint(pii, text))[0]:
        assert any(
            finding.start < end <= finding.end and finding.start >= end - pii_locator.reach_chars
            for end in ends
        )
    length = data.draw(st.integers(0, len(text)))
    assert pii_locator.locate(text[:length], ["pii"]) == [end for end in ends if end <= length]


def test_every_entity_has_a_trigger(pii: Detector) -> None:
    assert set(ROWS) - set(hints(pii)) == set()
    assert set(hints(pii)) == set(ROWS) | set(TRIGGERS)
    assert {form.fires for form in FORMS} == set(TRIGGERS)


@pytest.mark.parametrize("unit", ["a.", "a-", "1 ", "1", "a@", "::", "a@a.", "A1", "1.1.", "(1)"])
def test_time_grows_with_the_text_only(pii: Detector, unit: str) -> None:
    def look(chars: int) -> None:
        text = f"a@b {unit * (chars // len(unit))}"
        pii.detect([text], every_hint(pii, text))

    hints(pii)
    assert_linear(look, 1_500, 6_000)


def test_of_an_endless_address_what_the_standard_allows_is_found(pii: Detector) -> None:
    text = "x" * 500 + "@example.org"
    (only,) = pii.detect([text], [["EMAIL_ADDRESS"]])[0]
    assert (only.start, only.end) == (500 - 64, len(text))


def test_options_choose() -> None:
    assert module.build({}).categories > {"EMAIL_ADDRESS", "US_SSN", "DE_TAX_ID"}
    assert "KR_RRN" not in module.build({}).categories
    assert "KR_RRN" in module.build({"countries": ["kr"]}).categories
    assert module.build({"entities": ["IBAN_CODE"]}).categories == {"IBAN_CODE"}
    for bad in ({"countries": ["xx"]}, {"entities": ["X"]}, {"min_score": 2}, {"allow": "x"}):
        with pytest.raises(ConfigError, match="'pii'"):
            module.build(bad)


def test_harmless_literals_and_low_scores_are_left_out() -> None:
    detector = module.build({"entities": ["IP_ADDRESS"], "allow": ["10.0.0.1"], "min_score": 0.7})
    detector.load()
    texts = ["10.0.0.1", "10.0.0.2", "ip 10.0.0.2"]
    (done,) = perform({"pii": detector}, [Task("pii", texts, [["IP_ADDRESS"]] * 3)])
    assert [len(rows) for rows in done.rows] == [0, 0, 1]
