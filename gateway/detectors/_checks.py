"""What a form alone cannot say: checksums, and parts that must decode.

A check says how much of a pattern's score is left: 1 if it holds, 0 if what was found is no
secret at all. A wrong checksum leaves some: a token that lost a character in copying is
still most of a token.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable

Check = Callable[[str], float]

WRONG_SUM = 0.7
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def crc32_base62(secret: str) -> float:
    """The last six characters are the CRC-32 of those after the prefix, in base 62.

    "Behind GitHub's new authentication token formats" (GitHub blog, 5 April 2021); npm says
    the same of its own ("New npm access token format", 23 September 2021). Longer tokens of
    the same prefix are of a newer form, of which nothing is said.
    """
    body = secret[secret.rindex("_") + 1 :]
    if len(body) != 36:
        return 1.0
    return 1.0 if base62_crc32(body[:30]) == body[30:] else WRONG_SUM


def base62_crc32(text: str) -> str:
    """The CRC-32 of a text in six digits of base 62."""
    number, out = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        out = _BASE62[digit] + out
    return out


def jwt(secret: str) -> float:
    """Its first part is a JSON object that names an algorithm (RFC 7515, section 4.1.1).

    Without an algorithm ("none", RFC 7518, section 3.6) it is signed by nobody.
    """
    try:
        header = json.loads(unbase64(secret.partition(".")[0]))
    except ValueError:
        return 0.0
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        return 0.0
    return 1.0


def bech32(secret: str) -> float:
    """The last six characters are the checksum of BIP 173, as in the age file format."""
    name, _, data = secret.lower().rpartition("1")
    values = [ord(c) >> 5 for c in name] + [0] + [ord(c) & 31 for c in name]
    values += [_BECH32.find(c) for c in data]
    return 1.0 if min(values) >= 0 and _polymod(values) == 1 else WRONG_SUM


def _polymod(values: list[int]) -> int:
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            total ^= generator if top >> i & 1 else 0
    return total


def password_pair(secret: str) -> float:
    """Base64 of `name:password`, and the password is none to be filled in (RFC 7617)."""
    try:
        name, colon, password = unbase64(secret).decode().partition(":")
    except ValueError:
        return 0.0
    return 1.0 if colon and (name + password).isprintable() and (name or password) else 0.0


def unbase64(text: str) -> bytes:
    """Decodes either alphabet of RFC 4648, padded or not. Raises ValueError."""
    text = text.rstrip("=").translate({0x2D: "+", 0x5F: "/"})
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as err:
        raise ValueError("not base64") from err


CHECKS: dict[str, Check] = {
    "crc32-base62": crc32_base62,
    "jwt": jwt,
    "bech32": bech32,
    "password-pair": password_pair,
}
