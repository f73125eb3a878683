from __future__ import annotations

import base64

import pytest

from gateway.core.ports import Detector
from gateway.detectors._base64 import HINT, spellings
from gateway.detectors._locator import Locator
from tests.timing import assert_linear

TOKEN = "glpat-q3xZt7Lw2Rb9Kp4Vn6Hs"
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEq3xZt7Lw2Rb9Kp4Vn6Hs1Jd8\n" * 9
    + "-----END PRIVATE KEY-----"
)
SECRETS = [
    TOKEN,
    "AK" + "IAQ3EGUZHLWQRT2B7C",
    "postgresql://app:Zt7" + "Lw2Rb9@db.internal:5432/main",
    "password = 'q3x" + "Zt7!Lw2'",
    "dop_v1_" + "0f1e2d3c4b5a6978" * 4,
    PEM,
]


@pytest.mark.parametrize("before", ["", "a", "ab", "name: x\n", '{"user": 1} '])
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_is_found_where_it_stands(
    patterns: Detector, patterns_locator: Locator, encode: object, secret: str, before: str
) -> None:
    blob = encode(f"{before} {secret}\n and more".encode()).decode()  # type: ignore[operator]
    text = f"data: {blob}."
    assert HINT in patterns_locator.hints(text, ["patterns"])["patterns"]
    found = patterns.detect([text], [[HINT]])[0]
    assert found
    start, end = min(f.start for f in found), max(f.end for f in found)
    assert (start - 6) % 4 == 0
    said = base64.urlsafe_b64decode(text[start:end].replace("+", "-").replace("/", "_"))
    assert secret[:4].encode() in said[:8]
    ends = patterns_locator.locate(text, ["patterns"])
    assert any(start < e <= end and start >= e - patterns_locator.reach_chars for e in ends)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_base64_are_one_stretch(patterns: Detector, newline: str) -> None:
    blob = base64.b64encode(f"x = 1\n{'y' * 40} {TOKEN}\nz".encode()).decode()
    lines = newline.join(blob[i : i + 64] for i in range(0, len(blob), 64))
    (found,) = patterns.detect([f": {lines}"], [[HINT]])[0]
    assert (found.category, newline in lines[found.start : found.end]) == ("GITLAB_TOKEN", True)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(b"nothing to see in this quite ordinary text").decode(),
        base64.b64encode(b"glpat- is the prefix of tokens and so on").decode(),
        base64.b64encode(bytes(range(256)) * 9).decode(),
        base64.b64encode(base64.b64encode(TOKEN.encode())).decode(),
        "not base64 at all, only words",
    ],
)
def test_what_holds_no_secret_is_quiet(patterns: Detector, text: str) -> None:
    assert patterns.detect([f"data: {text}"], [[HINT]]) == [[]]


def test_a_text_shows_in_three_ways() -> None:
    for before in range(9):
        blob = base64.b64encode(b"z" * before + b"glpat-" + b"q3x").decode()
        assert any(shown in blob for shown in spellings("glpat-"))


@pytest.mark.parametrize("said", ["password=", "-----BEGIN ", "glpat-", "postgres://a:", "x"])
def test_time_grows_with_the_text_only(patterns: Detector, said: str) -> None:
    """Twice the text may take twice the time, not four times, whatever it holds."""

    def look(chars: int) -> None:
        text = base64.b64encode((said * (chars // len(said))).encode()).decode()
        patterns.detect([text], [[HINT]])

    assert_linear(look, 8_000, 32_000)
