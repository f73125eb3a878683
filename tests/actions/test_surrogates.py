"""Surrogates look like what they stand for, and can be nobody's."""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.actions._surrogates import MAKERS
from gateway.actions._vault import KeyedVault
from gateway.core import splice
from gateway.core.judgement import Manner
from gateway.core.ports import Surroundings

REALISTIC = Manner(realistic=True)
KEY = b"k" * 32


def vault(text: str = "", key: bytes = KEY, opening: str = "Hello.") -> KeyedVault:
    return KeyedVault(key, Surroundings(holds=text.__contains__, opening=opening))


def made(category: str, original: str, own: KeyedVault | None = None) -> str:
    return (own or vault()).placeholder(category, original, REALISTIC)


# category, original, what every surrogate of it looks like
SHAPES = [
    ("PERSON", "Anna", r"[A-Z][a-z]+"),
    ("PERSON", "Anna Berg", r"[A-Z][a-z]+ [A-Z][a-z]+"),
    ("PERSON", "ANNA BERG", r"[A-Z]+ [A-Z]+"),
    ("PERSON", "Dr. Anna-Maria van den Berg", r"Dr\. [A-Z][a-z]+ van den [A-Z][a-z]+"),
    ("PERSON", "Berg, Anna", r"[A-Z][a-z]+, [A-Z][a-z]+"),
    ("PERSON", "J. Müller", r"X\. [A-Z][a-z]+"),
    ("PERSON", "Anna Berg's", r"[A-Z][a-z]+ [A-Z][a-z]+'s"),
    ("EMAIL_ADDRESS", "anna.berg@acme.com", r"[a-z]+\.[a-z]+@[a-z]+\.example\.com"),
    ("EMAIL_ADDRESS", "aberg7@acme.com", r"[a-z]+\d\d@[a-z]+\.example\.com"),
    ("PHONE_NUMBER", "+1 415 736 2671", r"\+1 \d{3}-555-01\d\d"),
    ("PHONE_NUMBER", "(415) 736-2671", r"\d{3}-555-01\d\d"),
    ("PHONE_NUMBER", "+44 7911 123456", r"\+44 7700 900\d{3}"),
    ("PHONE_NUMBER", "07911123456", r"07700900\d{3}"),
    ("PHONE_NUMBER", "020 7123 4567", r"020 7946 0\d{3}"),
    ("PHONE_NUMBER", "+33 6 12 34 56 78", r"\+33 6 39 98 \d\d \d\d"),
    ("PHONE_NUMBER", "01 42 68 53 00", r"01 99 00 \d\d \d\d"),
    ("PHONE_NUMBER", "+49 171 1234567", r"\+49 17(1 39200|6 040690)\d\d"),
    (
        "PHONE_NUMBER",
        "0049 89 1234567",
        r"0049 (30 23125|69 90009|40 66969|221 4710|89 99998)\d{3}",
    ),
    ("PHONE_NUMBER", "030 1234567", r"0(30 23125|69 90009|40 66969|221 4710|89 99998)\d{3}"),
    ("IBAN_CODE", "DE89 3704 0044 0532 0130 00", r"DE00( \d{4}){4} \d\d"),
    ("IBAN_CODE", "GB82WEST12345698765432", r"GB00[A-Z]{4}\d{14}"),
    ("IP_ADDRESS", "10.1.2.3", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
    ("IP_ADDRESS", "2a00:1450::5", r"2001:db8:[0-9a-f:]+"),
    ("MAC_ADDRESS", "3C:22:FB:01:02:03", r"00:00:5E:00:53:[0-9A-F]{2}"),
    ("MAC_ADDRESS", "3c-22-fb-01-02-03", r"00-00-5e-00-53-[0-9a-f]{2}"),
    ("DATE_TIME", "2026-03-01", r"202[67]-\d\d-\d\d"),
    ("DATE_TIME", "1.3.2026", r"\d{1,2}\.\d{1,2}\.202[67]"),
    ("DATE_TIME", "25/12/2025", r"\d\d/\d\d/202[56]"),
    ("DATE_TIME", "March 1, 2026", r"[A-Z][a-z]+ \d{1,2}, 202[67]"),
    ("DATE_TIME", "1. März 2026", r"\d{1,2}\. [A-Z]\w+ 202[67]"),
    ("DATE_TIME", "1 de marzo de 2026", r"\d{1,2} de [a-z]+ de 202[67]"),
]


@pytest.mark.parametrize(("category", "original", "shape"), SHAPES)
def test_it_has_the_shape_of_what_it_stands_for(category: str, original: str, shape: str) -> None:
    for n in range(40):
        own = vault(key=bytes([n]) * 32)
        word = made(category, original, own)
        assert re.fullmatch(shape, word), word
        assert word != original
        assert splice.apply(f"({word})", own.restore(f"({word})")) == f"({original})"


NONE = [
    ("PERSON", "anna berg"),
    ("PERSON", "王小明"),
    ("PERSON", "Анна"),
    ("PERSON", "user42"),
    ("EMAIL_ADDRESS", "not an address"),
    ("PHONE_NUMBER", "+81 3 1234 5678"),
    ("PHONE_NUMBER", "12345"),
    ("PHONE_NUMBER", "415-736-2671 ext. 5"),
    ("IP_ADDRESS", "localhost"),
    ("DATE_TIME", "03/04/2026"),
    ("DATE_TIME", "yesterday"),
    ("DATE_TIME", "31.2.2026"),
    ("US_SSN", "536-90-4399"),
    ("LOCATION", "Uppsala"),
]


@pytest.mark.parametrize(("category", "original"), NONE)
def test_what_no_surrogate_can_be_made_for_has_a_placeholder(category: str, original: str) -> None:
    assert re.fullmatch(r"[A-Z_]+_[0-9A-Z]{6}", made(category, original))


def _valid_iban(text: str) -> bool:
    letters = "".join(str(int(c, 36)) for c in (text[4:] + text[:4]).replace(" ", ""))
    return int(letters) % 97 == 1 and "02" <= text[2:4] <= "98"


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 10**18 - 1))
def test_no_account_is_anybodys(key: bytes, number: int) -> None:
    assert not _valid_iban(made("IBAN_CODE", f"DE89{number:018}", vault(key=key)))


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.ip_addresses())
def test_no_machine_is_anybodys(
    key: bytes, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    new = ipaddress.ip_address(made("IP_ADDRESS", str(address), vault(key=key)))
    assert new.version == address.version
    assert new.is_private  # as the registries of special addresses have the documentation's


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2090, 1, 1)), st.dates(date(1900, 1, 1), date(2090, 1, 1)))
def test_the_time_between_two_dates_stays(one: date, two: date) -> None:
    own = vault()
    moved = [date.fromisoformat(made("DATE_TIME", each.isoformat(), own)) for each in (one, two)]
    assert moved[1] - moved[0] == two - one
    assert moved[0] != one


def test_each_conversation_moves_its_dates_in_its_own_way() -> None:
    days = {made("DATE_TIME", "2026-03-01", vault(opening=f"Hello {n}.")) for n in range(30)}
    assert len(days) > 20


def test_a_name_is_the_same_wherever_a_part_of_it_stands() -> None:
    own = vault()
    whole = made("PERSON", "Anna Berg", own)
    assert whole == f"{made('PERSON', 'Anna', own)} {made('PERSON', 'Berg', own)}"
    given_name = whole.split()[0]
    text = f"{given_name}'s, {whole}; not {given_name}s."
    assert splice.apply(text, own.restore(text)) == f"Anna's, Anna Berg; not {given_name}s."


def test_addresses_of_one_house_stay_in_one() -> None:
    own = vault()
    one, two = (made("EMAIL_ADDRESS", f"{who}@acme.com", own) for who in ("anna", "bo"))
    other = made("EMAIL_ADDRESS", "anna@other.org", own)
    assert one.partition("@")[2] == two.partition("@")[2] != other.partition("@")[2]


def test_what_stands_in_the_message_is_not_given_out() -> None:
    first = made("PERSON", "Anna")
    second = made("PERSON", "Anna", vault(f"and {first} too"))
    assert second not in (first, "Anna")


@settings(deadline=None, max_examples=60)
@given(st.sets(st.text("abcdefgh", min_size=3, max_size=8).map(str.title), max_size=120))
def test_no_two_originals_share_one(names: set[str]) -> None:
    own = vault()
    words = {made("PERSON", name, own) for name in names}
    assert len(words) == len(names)


def test_each_maker_is_told_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "pseudonyms.md").read_text(encoding="utf-8")
    section = page.split("\n## Realistic surrogates\n")[1].split("\n## ")[0]
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))
    assert told == set(MAKERS)
