"""The words that stand for originals: `PERSON_K7Q2MX`, and `[CARD_1]` for a card number."""

from __future__ import annotations

import hashlib
import hmac
import re

# Base 32 in the manner of Crockford: without I, L, O and U, which people misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = 6
# Of PCI DSS 4.0.1 and ISO/IEC 7812: card numbers have 13 to 19 digits, the last a check digit.
_CARD_DIGITS = range(13, 20)
_DIGITS = re.compile(r"\d(?:[ ./\u00a0-]{0,2}\d)*")

# Whatever was given out stands within such a word; most such words are something else. It begins
# where a run of capitals and digits does, so that a long run is looked through once.
SHAPE = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9]+\]|(?<![A-Z0-9])[A-Z0-9]++(?:_[A-Z0-9]++)++")

_KINDS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "CREDIT_CARD": "CARD",
    "LOCATION": "PLACE",
    "DATE_TIME": "DATE",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "US_SSN": "SSN",
    "US_BANK_NUMBER": "ACCOUNT",
    "US_DRIVER_LICENSE": "LICENSE",
    "CRYPTO": "WALLET",
    "NRP": "GROUP",
}


def kind_of(category: str) -> str:
    """The readable type in a placeholder: capital letters, digits and underscores."""
    known = _KINDS.get(category)
    if known:
        return known
    kind = re.sub(r"[^A-Z0-9]+", "_", category.upper()).strip("_")
    return kind if kind[:1].isalpha() else f"X{kind}"


def keyed(key: bytes, kind: str, original: str, attempt: int) -> str:
    """The word for this original; another one for each attempt, all of one length."""
    told = f"{kind}#{attempt}" if attempt else kind
    mac = hmac.digest(key, f"{told}\0{original}".encode(errors="surrogatepass"), hashlib.sha256)
    number = int.from_bytes(mac, "big")
    token = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_LETTERS))
    # A run of digits alone would read as a number.
    return f"{kind}_{token}" if not token.isdigit() else f"{kind}_X{token[1:]}"


def numbered(kind: str, number: int) -> str:
    """A word that says nothing of what it stands for but that it is the n-th of its kind."""
    return f"[{kind}_{number}]"


def is_numbered(word: str) -> bool:
    """Whether it is of `numbered`: in another message it may stand for something else."""
    return word.startswith("[")


def holds_card(text: str) -> bool:
    """Whether a card number may stand in a text, by its length and check digit (Luhn).

    PCI DSS 4.0.1, 3.5.1: a token made from one, beside some of its digits shown elsewhere,
    could tell all of it. So nothing is ever made from one.
    """
    if sum(map(str.isdecimal, text)) < _CARD_DIGITS.start:
        return False
    runs = ([int(c) for c in run if c.isdecimal()] for run in _DIGITS.findall(text))
    return any(len(digits) in _CARD_DIGITS and _luhn(digits) for digits in runs)


def _luhn(digits: list[int]) -> bool:
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
