from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.judgement import DETECTOR_ERROR, Finding
from gateway.detectors._scan import Scanner

FILLER = "Nothing to see in this sentence, which is long enough to be one segment. "


def test_places_are_those_of_the_whole_text(scanner: Scanner) -> None:
    secret = "AKIAQ3EGUZHLWQRT2B7C"
    text = FILLER * 9 + f"The key is {secret}. " + FILLER * 9 + "Write to jo@example.org. "
    found = {(f.detector, f.category, text[f.start : f.end]) for f in scanner.scan(text)}
    assert found == {
        ("patterns", "AWS_ACCESS_KEY", secret),
        ("pii", "EMAIL_ADDRESS", "jo@example.org"),
    }


def test_a_number_broken_by_the_end_of_a_segment_is_found_once(scanner: Scanner) -> None:
    text = FILLER + "Take my card, the number of it is 4111 1111\n1111 1111 as I said. " + FILLER
    cards = [f for f in scanner.scan(text) if f.category == "CREDIT_CARD"]
    assert cards == []  # Presidio's pattern takes no line break; its digits are no number
    text = text.replace("\n", " ")
    assert [text[f.start : f.end] for f in scanner.scan(text)] == ["4111 1111 1111 1111"]


def test_a_private_key_is_one_finding_however_long(scanner: Scanner) -> None:
    body = "\n".join(["MIIEq3xZt7Lw2Rb9Kp4Vn6Hs1Jd8Gf5Me0Ucaotixyzq81nRbXk2LwYpHs6Jd3"] * 60)
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    text = FILLER * 3 + key + "\n" + FILLER * 3
    assert [text[f.start : f.end] for f in scanner.scan(text)] == [key]


@pytest.mark.usefixtures("fake_installed")
def test_a_failing_detector_is_a_finding_here_too(cache_dir: Path) -> None:
    scanner = Scanner({"fake": {}}, cache_dir=cache_dir)
    assert scanner.scan("fire raise") == [
        Finding("fake", DETECTOR_ERROR, 0, 10, 1.0, "RuntimeError")
    ]
    assert scanner.scan("fire raise", detectors=[]) == []
