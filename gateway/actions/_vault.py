"""The vault: placeholder <-> original for one exchange.

A placeholder is a keyed digest of the original, so that turns and replicas agree on it
without storing anything, and two tenants never do. It tells a model what kind of thing
it stands for, and tells nobody without the key anything else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from gateway.core.message import Edit

# Base 32 in the manner of Crockford: without I, L, O and U, which people misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHORTEST = 6
_LONGEST = 50
_STEP = 2
# ASCII only, for other scripts stand next to a placeholder without a space; small letters
# may follow ("PERSON_K7Q2MXs car"), and underscores may surround it (Markdown).
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")

_TYPES = {
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


def tenant_key(secret: bytes, tenant: str) -> bytes:
    """The key under which this tenant's placeholders are made: 32 bytes.

    secret: the gateway's own, at least 16 bytes, the same on all replicas. Raises ValueError
    for a shorter one.
    """
    if len(secret) < 16:
        raise ValueError("the vault secret must have at least 16 bytes")
    return hmac.digest(secret, b"vault\0" + tenant.encode(), hashlib.sha256)


class KeyedVault:
    """Implements `gateway.core.ports.Vault`. Lives for one exchange and is never shared.

    key: of the tenant, see `tenant_key`.
    taken: whether a word stands in the message already; it is then not given out.
    """

    def __init__(self, key: bytes, taken: Callable[[str], bool]) -> None:
        self._key = key
        self._taken = taken
        self._given: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._reach = 0
        self._restored = 0

    def placeholder(self, category: str, original: str) -> str:
        """The placeholder for this original: the same for the same tenant, always.

        It grows if a shorter one stands for something else in this exchange. The original
        is taken as it is written: another spelling has another placeholder, so that
        `restore` gives back what was there.
        """
        kind = _kind(category)
        word = self._given.get((kind, original))
        if word is None:
            word = self._fresh(kind, original)
            self._given[kind, original] = word
            self._originals[word] = original
            self._reach = max(self._reach, len(word))
        return word

    def restore(self, text: str) -> list[Edit]:
        """Edits that put originals back in place of the placeholders in `text`.

        A placeholder inside a longer word of capitals, digits and underscores is another word.
        """
        if not self._originals:
            return []
        edits = [
            Edit(match.start(), match.end(), self._originals[match.group()])
            for match in _WORD.finditer(text)
            if match.group() in self._originals
        ]
        self._restored += len(edits)
        return edits

    @property
    def reach_chars(self) -> int:
        """Length of the longest placeholder given out; 0 if none was."""
        return self._reach

    @property
    def restored(self) -> int:
        """How many placeholders were restored so far."""
        return self._restored

    def _fresh(self, kind: str, original: str) -> str:
        mac = hmac.digest(self._key, f"{kind}\0{original}".encode(), hashlib.sha256)
        number = int.from_bytes(mac, "big")
        letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(250, 0, -5))
        for size in range(_SHORTEST, _LONGEST + 1, _STEP):
            token = letters[:size]
            word = f"{kind}_{token}"
            # A run of digits alone would read as a number.
            if not token.isdigit() and word not in self._originals and not self._taken(word):
                return word
        raise RuntimeError("no placeholder is free: the message names all of them")


def _kind(category: str) -> str:
    """The readable type in a placeholder: capital letters and digits."""
    known = _TYPES.get(category)
    if known:
        return known
    kind = re.sub(r"[^A-Z0-9]+", "_", category.upper()).strip("_")
    return kind if kind[:1].isalpha() else f"X{kind}"
