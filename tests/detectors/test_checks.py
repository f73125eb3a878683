from __future__ import annotations

import base64
import json

import pytest

from gateway.detectors import _checks
from gateway.detectors._checks import WRONG_SUM, base62_crc32


def test_the_checksum_of_github_and_npm() -> None:
    body = "q3xZt7Lw2Rb9Kp4Vn6Hs1Jd8Gf5Me0"
    token = f"{body}{base62_crc32(body)}"
    assert _checks.crc32_base62(f"ghp_{token}") == 1
    assert _checks.crc32_base62(f"npm_{'Q' + token[1:]}") == WRONG_SUM
    assert _checks.crc32_base62(f"ghs_{token}{token}") == 1


def test_the_checksum_has_six_digits() -> None:
    assert base62_crc32("") == "000000"
    assert base62_crc32("123456789") == "3jZRME"  # 0xCBF43926, the check value of CRC-32


@pytest.mark.parametrize(
    ("header", "left"),
    [({"alg": "HS256"}, 1), ({"typ": "JWT"}, 0), ({"alg": 5}, 0), (["alg"], 0), ("alg", 0)],
)
def test_a_web_token_names_its_algorithm(header: object, left: float) -> None:
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert _checks.jwt(f"{first}.eyJzdWIiOiJxIn0.abc") == left


def test_what_does_not_decode_is_no_web_token() -> None:
    assert _checks.jwt("eyJABCDEFGH.eyJ.x") == 0


def test_the_checksum_of_bip_173() -> None:
    assert _checks.bech32("A12UEL5L") == 1
    assert _checks.bech32("A12UEL5Q") == WRONG_SUM
    assert _checks.bech32("A1bbbbbb") == WRONG_SUM


@pytest.mark.parametrize(
    ("pair", "left"), [(b"ann:q3xZt7", 1), (b"browser:", 1), (b"ann", 0), (b"\xff\xfe:a", 0)]
)
def test_basic_credentials_are_a_name_and_a_password(pair: bytes, left: float) -> None:
    assert _checks.password_pair(base64.b64encode(pair).decode()) == left
