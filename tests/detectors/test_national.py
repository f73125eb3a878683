from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks.identifiers import decoy, rows, value
from gateway.core.judgement import Finding
from gateway.detectors import _check_digits as check
from gateway.detectors._identifiers import Identifier
from gateway.detectors._national import FORMS
from gateway.detectors._phones import NUMBER
from tests.timing import assert_linear

Identify = Callable[..., list[Finding]]

# Published examples: of the authorities, of standards, and of their own documentation.
RIGHT = [
    (check.luhn, "4111111111111111"),
    (check.verhoeff, "234123412346"),
    (check.ean_13, "7569217076985"),
    (check.at_svnr, "1237010180"),
    (check.at_uid, "ATU13585627"),
    (check.be_national, "85073003328"),
    (check.be_enterprise, "0403019261"),
    (check.br_cpf, "39053344705"),
    (check.br_cnpj, "11222333000181"),
    (check.br_cnpj, "12ABC34501DE35"),
    (check.br_cnh, "97625655678"),
    (check.ch_uid, "CHE109322551"),
    (check.de_tax_id, "36574261809"),
    (check.last_nine_mod_11_10, "DE136695976"),
    (check.es_nif, "54362315K"),
    (check.es_nif, "X2482300W"),
    (check.es_cif, "A58818501"),
    (check.es_nss, "281234567840"),
    (check.fi_business, "20774740"),
    (check.fr_nir, "295109912611193"),
    (check.fr_tax, "3023217600053"),
    (check.ie_ppsn, "1234567FA"),
    (check.it_fiscal_code, "RCCMNL83S18D969H"),
    (check.nl_bsn, "111222333"),
    (check.pl_pesel, "44051401359"),
    (check.pl_nip, "8567346215"),
    (check.pl_regon, "192598184"),
    (check.pl_id_card, "ABS123456"),
    (check.pt_nif, "501442600"),
    (check.pt_niss, "11154646463"),
    (check.pt_citizen_card, "000000000ZZ4"),
    (check.se_personnummer, "8803200016"),
    (check.uk_nhs, "9434765919"),
    (check.uk_utr, "1955839661"),
    (check.uk_vat, "GB980780684"),
]


@pytest.mark.parametrize(("rule", "number"), RIGHT)
def test_check_digits_are_those_published(rule: check.Check, number: str) -> None:
    assert rule(number)
    wrong = [
        number[:at] + digit + number[at + 1 :]
        for at, old in enumerate(number)
        if old.isdecimal()
        for digit in "0123456789"
        if digit != old
    ]
    assert sum(map(rule, wrong)) <= len(wrong) * 0.12


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.entity)
def test_each_form_fires_its_trigger_and_is_found(identified: Identify, form, request) -> None:
    rng = random.Random(request.node.name)
    for _ in range(3):
        written = value(rng, form)
        label = rng.choice(form.labels.split("|"))
        text = f"{label}: {written}"
        spans = {text[f.start : f.end] for f in identified(text)}
        # What is not alone under its label may be taken for a neighbour's.
        assert any(written.strip() in span or span in written for span in spans), text


def test_found_among_all_others_and_their_decoys(identified: Identify) -> None:
    good = hits = wrong = 0
    for row in rows(random.Random("all"), 2):
        found = {(f.category, f.start, f.end) for f in identified(row["text"])}
        true = {(s["type"], s["start"], s["end"]) for s in row["spans"]}
        good, hits = good + len(true), hits + len(true & found)
        wrong += len(found - true)
    assert hits >= 0.97 * good
    assert wrong <= 0.05 * good


def test_decoys_differ_in_one_digit() -> None:
    rng = random.Random("decoys")
    for form in FORMS:
        wrong = decoy(rng, form)
        assert (wrong is None) == (form.check is None)


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("Passport no. X73938221, licence D9628415", ["US_PASSPORT", "US_DRIVER_LICENSE"]),
        ("routing 377141870, account 547799974830", ["ABA_ROUTING_NUMBER", "US_BANK_NUMBER"]),
        ("373614147 (BSN)", ["NL_BSN"]),
        ("373614147", []),
        ("order 373614147", []),
        ("name,bsn\nJansen,373614147\nBakker,231912092", ["NL_BSN", "NL_BSN"]),
        ('{"taxId": "65929970489"}', ["DE_TAX_ID"]),
        ('{"user_cpf": 39053344705}', ["BR_CPF"]),
        ("390.533.447-05", ["BR_CPF"]),
        ("390.533.447-06", []),
        ("numéro de sécurité sociale 2 95 10 99 126 111 93", ["FR_NIR"]),
        ("2 95 10 99 126 111 93", ["FR_NIR"]),
        ("account DE89 3704 0044 0532 0130 00", ["IBAN_CODE"]),
        ("550e8400-e29b-41d4-a716-446655440000", []),
        ("license key A1234567", []),
        ("pps number 1234567ſ", []),
        ("version 10.4.2.17", []),
        ("host 10.4.2.17", ["IP_ADDRESS"]),
        ("alice@corp.example", ["EMAIL_ADDRESS"]),
        ("root@db.internal", ["EMAIL_ADDRESS"]),
        ("user@localhost", []),
        ("born 12.03.1981", ["DATE_TIME"]),
        ("due 12.03.2031", []),
    ],
)
def test_words_beside_a_number_say_what_it_is(
    identified: Identify, text: str, categories: list[str]
) -> None:
    found = sorted(identified(text), key=lambda f: f.start)
    assert [f.category for f in found] == categories


UNITS = ["1", "1 ", "1-", "12.", "A1", "AB", "1/", "(1", "B-A ", "2A 1", "0 00"]


@pytest.mark.parametrize("unit", UNITS)
def test_no_form_backtracks(unit: str) -> None:
    patterns = [NUMBER, *(Identifier(form).regex for form in FORMS)]

    def look(chars: int) -> None:
        text = unit * (chars // len(unit))
        for pattern in patterns:
            for _ in pattern.finditer(text):
                pass

    assert_linear(look, 2_000, 8_000)
