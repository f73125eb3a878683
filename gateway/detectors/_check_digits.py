"""Check digits of identity, tax, health and company numbers.

Each check takes the number without its separators, letters in capitals, in the form that
its pattern has already made sure of, and says whether the check digits are right. Where one
country's authority publishes the rule, it is named; the sums that many share come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

Check = Callable[[str], bool]

_DIGITS_AND_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Verhoeff, "Error Detecting Decimal Codes" (1969): products in the dihedral group D5.
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def total(digits: str, weights: Sequence[int]) -> int:
    """The sum of the digits by their weights; what has no weight does not count."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Verhoeff's dihedral check."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = int(_DIHEDRAL[state][int(_PERMUTED[place % 8][int(digit)])])
    return state == 0


def mod_11_10(digits: str) -> bool:
    """ISO 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (product + int(digits[-1])) % 10 == 1


def ean_13(digits: str) -> bool:
    """GS1 General Specifications, section 7.9."""
    return total(digits, (1, 3) * 7) % 10 == 0


def mod_11_chars(number: str) -> int:
    """Sum of digits and letters (ASCII less 48) by weights 2 to 9 from the right, modulo 11."""
    return sum((ord(c) - 48) * (2 + place % 8) for place, c in enumerate(reversed(number))) % 11


def mrz_sum(text: str) -> int:
    """ICAO Doc 9303, part 3, section 4.9: weights 7, 3, 1; letters count from ten."""
    return sum(_DIGITS_AND_CAPITALS.index(c) * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10


def is_day(year: int, month: int, day: int) -> bool:
    """Whether there is such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def is_day_in_some_century(year: int, month: int, day: int) -> bool:
    """Whether there is such a day, with the century left open (2000 was a leap year)."""
    return is_day(2000 + year % 100, month, day)


# Austria


def at_svnr(number: str) -> bool:
    """Social insurance: the fourth digit checks the rest (Dachverband der Sozialversicherung)."""
    rest = total(number, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11
    return number[0] != "0" and rest == int(number[3])


def at_uid(number: str) -> bool:
    """VAT number, ATU and eight digits (BMF, "UID-Nummer: Konstruktionsregeln")."""
    digits = number[-8:]
    odd = sum(sum(divmod(2 * int(d), 10)) for d in digits[1:7:2])
    return (10 - (odd + sum(map(int, digits[:7:2])) + 4) % 10) % 10 == int(digits[7])


# Belgium


def be_national(number: str) -> bool:
    """National register: 97 less the rest; a 2 goes before those born from 2000 on."""
    body, check = number[:9], int(number[9:])
    if not 0 <= int(number[2:4]) % 20 <= 12:
        return False
    return check in (97 - int(body) % 97, 97 - int("2" + body) % 97)


def be_enterprise(number: str) -> bool:
    """Crossroads Bank for Enterprises: 97 less the rest of the first eight digits."""
    return 97 - int(number[:8]) % 97 == int(number[8:])


# Brazil


def br_cpf(number: str) -> bool:
    """Receita Federal: two digits, weights 10 to 2 and 11 to 2; not one digit eleven times."""
    if len(set(number)) == 1:
        return False
    return all(
        total(number, range(length + 1, 1, -1)) * 10 % 11 % 10 == int(number[length])
        for length in (9, 10)
    )


def br_cnpj(number: str) -> bool:
    """Receita Federal, IN RFB 2.229/2024: letters count as their ASCII code less 48."""
    if len(set(number)) == 1:
        return False
    return all(
        (0 if (rest := mod_11_chars(number[:length])) < 2 else 11 - rest) == int(number[length])
        for length in (12, 13)
    )


def br_pis(number: str) -> bool:
    """PIS, PASEP, NIS: weights 3, 2, 9 to 2 (Caixa)."""
    rest = total(number[:10], (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest < 2 else 11 - rest) == int(number[10])


def br_cnh(number: str) -> bool:
    """Driver's licence (Denatran): weights 9 to 1, then 1 to 9."""
    first = total(number[:9], range(9, 0, -1)) % 11
    less = 2 if first >= 10 else 0
    second = total(number[:9], range(1, 10)) % 11
    second = 0 if second >= 10 else second - less
    first = 0 if first >= 10 else first
    return (first, second % 11) == (int(number[9]), int(number[10]))


# Switzerland


def ch_uid(number: str) -> bool:
    """Company number, CHE and nine digits (eCH-0097): weights 5 4 3 2 7 6 5 4, modulo 11."""
    digits = number[-9:]
    return -total(digits, (5, 4, 3, 2, 7, 6, 5, 4)) % 11 == int(digits[8])


# Germany


def de_tax_id(number: str) -> bool:
    """Tax ID (BZSt): one digit of the first ten comes twice or three times; ISO 7064."""
    counts = sorted(number[:10].count(d) for d in set(number[:10]))
    return number[0] != "0" and counts[-1] in (2, 3) and mod_11_10(number)


def last_nine_mod_11_10(number: str) -> bool:
    """German VAT number: the nine digits behind DE."""
    return mod_11_10(number[-9:])


# Spain

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_nif(number: str) -> bool:
    """DNI or NIE: a letter by the rest of the number by 23 (Ministerio del Interior)."""
    digits = number[:-1].translate({ord("X"): "0", ord("Y"): "1", ord("Z"): "2"})
    return _DNI[int(digits) % 23] == number[-1]


def es_cif(number: str) -> bool:
    """Tax number of a company: Luhn over seven digits, as a digit or as a letter A to J."""
    even = sum(map(int, number[2:8:2]))
    odd = sum(sum(divmod(2 * int(d), 10)) for d in number[1:8:2])
    check = -(even + odd) % 10
    return number[8] in (str(check), "JABCDEFGHI"[check])


def es_nss(number: str) -> bool:
    """Social security: province, number, and the rest of both by 97."""
    province, body, check = number[:2], int(number[2:-2]), int(number[-2:])
    whole = int(province) * 10_000_000 + body if body < 10_000_000 else int(province + str(body))
    return whole % 97 == check


# Finland


def fi_business(number: str) -> bool:
    """Y-tunnus (PRH): weights 7 9 10 5 8 4 2, modulo 11; no rest of one."""
    rest = total(number[:7], (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and -rest % 11 == int(number[7])


# France


def fr_nir(number: str) -> bool:
    """Social security (INSEE): 97 less the rest; Corsica's 2A and 2B count as 19 and 18."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(body) % 97 == int(number[13:])


def fr_tax(number: str) -> bool:
    """Numéro fiscal, 13 digits: the last three are the rest of the first ten by 511."""
    return int(number[:10]) % 511 == int(number[10:])


# Ireland


def ie_ppsn(number: str) -> bool:
    """PPS number: weights 8 to 2, the second letter by 9, modulo 23."""
    second = number[8:9]
    extra = 9 * (ord(second) - 64) if second and second not in "WT" else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(total(number[:7], range(8, 1, -1)) + extra) % 23] == number[7]


# Italy

_CF_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 1
        + (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22)
        + (25, 24, 23),
        strict=True,
    )
)


def it_fiscal_code(number: str) -> bool:
    """Codice fiscale (decree of 23 December 1976): the last letter, by odd and even places."""
    odd = sum(_CF_ODD[c] for c in number[:15:2])
    even = sum(int(c) if c.isdecimal() else ord(c) - 65 for c in number[1:15:2])
    return chr(65 + (odd + even) % 26) == number[15]


# The Netherlands


def nl_bsn(number: str) -> bool:
    """Burgerservicenummer: the "elfproef" (Besluit bsn, annex): weights 9 to 2 and -1."""
    digits = number.zfill(9)
    return int(digits) > 0 and total(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


# Poland


def pl_pesel(number: str) -> bool:
    """PESEL: weights 1 3 7 9, and a day of birth whose month tells the century."""
    day = is_day_in_some_century(int(number[:2]), int(number[2:4]) % 20, int(number[4:6]))
    return day and total(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def pl_nip(number: str) -> bool:
    """Tax number: weights 6 5 7 2 3 4 5 6 7, modulo 11."""
    return total(number, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(number[9])


def pl_regon(number: str) -> bool:
    """Company number of nine digits: weights 8 9 2 3 4 5 6 7, modulo 11."""
    return total(number, (8, 9, 2, 3, 4, 5, 6, 7)) % 11 % 10 == int(number[8])


def pl_id_card(number: str) -> bool:
    """Identity card: letters count from ten; weights 7 3 1, the check digit first after them."""
    values = [_DIGITS_AND_CAPITALS.index(c) for c in number]
    weights = (7, 3, 1, 0, 7, 3, 1, 7, 3)
    return sum(v * w for v, w in zip(values, weights, strict=True)) % 10 == values[3]


# Portugal


def pt_nif(number: str) -> bool:
    """Tax number: weights 9 to 2, modulo 11 (Decreto-Lei 14/2013)."""
    rest = total(number[:8], range(9, 1, -1)) % 11
    return (0 if rest < 2 else 11 - rest) == int(number[8])


def pt_niss(number: str) -> bool:
    """Social security: weights are the primes from 29 down to 2."""
    return 9 - total(number[:10], (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)) % 10 == int(number[10])


def pt_citizen_card(number: str) -> bool:
    """Cartão de cidadão: Luhn over digits and letters, which count from ten (AMA)."""
    values = [_DIGITS_AND_CAPITALS.index(c) for c in reversed(number)]
    doubled = (2 * v - 9 if 2 * v > 9 else 2 * v for v in values[1::2])
    return (sum(values[::2]) + sum(doubled)) % 10 == 0


# Sweden


def se_personnummer(number: str) -> bool:
    """Personal number (SKV 704): Luhn over the last ten; a day of birth, plus 60 in another."""
    digits = number[-10:]
    day = int(digits[4:6])
    day -= 60 if day > 60 else 0
    return is_day_in_some_century(int(digits[:2]), int(digits[2:4]), day) and luhn(digits)


# United Kingdom


def uk_nhs(number: str) -> bool:
    """NHS number (NHS Data Dictionary): weights 10 to 2, modulo 11."""
    return total(number, range(10, 0, -1)) % 11 == 0


def uk_utr(number: str) -> bool:
    """Unique taxpayer reference (HMRC): the first digit checks the other nine."""
    rest = total(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11
    return "21987654321"[rest] == number[0]


def uk_vat(number: str) -> bool:
    """VAT number: weights 8 to 2 and a pair of digits, modulo 97, or 55 more (HMRC)."""
    digits = number[-9:]
    rest = (total(digits, range(8, 1, -1)) + int(digits[7:])) % 97
    return rest in (0, 42)


# India


def in_aadhaar(number: str) -> bool:
    """Verhoeff's digit, as UIDAI gives it, or Luhn's, as made-up numbers often have it."""
    return number != number[::-1] and (verhoeff(number) or luhn(number))
