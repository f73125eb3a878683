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


MAIL, KEY, CARD = "EMAIL_ADDRESS", "AWS_ACCESS_KEY", "CREDIT_CARD"


@pytest.mark.parametrize(
    ("category", "written"),
    [
        (MAIL, "jan&#64;firma.de"),
        (MAIL, "&#106;&#97;&#110;&#64;&#102;&#105;&#114;&#109;&#97;&#46;&#100;&#101;"),
        (MAIL, "jan&commat;firma&period;de"),
        (MAIL, "m&uuml;ller@firma.de"),
        (MAIL, "jan%40firma.de"),
        (MAIL, "%6a%61%6e%40%66%69%72%6d%61%2e%64%65"),
        (MAIL, "jan%2540firma.de"),
        (MAIL, r"jan\u0040firma.de"),
        (MAIL, "jan\u200b@firma\xad.de"),
        (MAIL, "j" + "\u200b" * 500 + "an@firma.de"),
        (MAIL, "ｊａｎ＠ｆｉｒｍａ．ｄｅ"),
        (KEY, "AKIA%51%33EGUZHLWQRT2B7C"),
        (KEY, "АKIAQ3ЕGUZHLWQRT2B7C"),
        (KEY, "AK\u200bIAQ3EGU\u2060ZHLWQRT2B7C"),
        (CARD, "4111&#32;1111&nbsp;1111&#32;1111"),
        (CARD, "4111%201111%201111%201111"),
        (CARD, "4111\xa01111\xa01111\xa01111"),
    ],
)
def test_what_is_encoded_is_found_where_it_is_written(
    scanner: Scanner, category: str, written: str
) -> None:
    text = f"{FILLER}Take {written} please. {FILLER}"
    found = [f for f in scanner.scan(text) if f.category == category]
    assert [text[f.start : f.end] for f in found] == [written]


@pytest.mark.parametrize(
    "text",
    [
        "It grew by 50%40 or 20%25 and 4111%11111111 times, 100%.",
        '<p class="x">Tom &amp; Jerry &lt;b&gt;4111&lt;/b&gt; &copy;&nbsp;2026</p>',
        'if (a &amp;&amp; b) { s = "\\u00e9\\x41"; p = &value; }',
        "GET /search?q=hello%20world%2Fagain&lang=en&page=%31 HTTP/1.1",
        "See 👩\u200d💻 and ❤️ for 4\u200b1\u200b1 of it.",
    ],
)
def test_encodings_alone_are_no_findings(scanner: Scanner, text: str) -> None:
    assert scanner.scan(text) == []


def test_a_redaction_never_cuts_a_mark_in_two(scanner: Scanner) -> None:
    text = "call %200170 1234567 now"
    (found,) = [f for f in scanner.scan(text) if f.category == "PHONE_NUMBER"]
    assert not text[found.start - 1 : found.start].endswith("%")
    assert text[found.start : found.end] in ("%200170 1234567", "0170 1234567")


@pytest.mark.usefixtures("fake_installed")
def test_a_failing_detector_is_a_finding_here_too(cache_dir: Path) -> None:
    scanner = Scanner({"fake": {}}, cache_dir=cache_dir)
    assert scanner.scan("fire raise") == [
        Finding("fake", DETECTOR_ERROR, 0, 10, 1.0, "RuntimeError")
    ]
    assert scanner.scan("fire raise", detectors=[]) == []


@pytest.mark.usefixtures("fake_installed")
@pytest.mark.parametrize(("least", "faint"), [(0.6, True), (0.5, False), (0.4, False)])
def test_faint_findings_are_graded_and_not_reported(
    cache_dir: Path, least: float, faint: bool
) -> None:
    scanner = Scanner({"fake": {"least": least}}, cache_dir=cache_dir)
    found = Finding("fake", "FIRE", 0, 4, 0.5)
    assert scanner.scan("fire") == ([] if faint else [found])
    assert scanner.grade("fire") == (([], [found]) if faint else ([found], []))


@pytest.mark.usefixtures("fake_installed")
def test_a_failure_is_never_faint(cache_dir: Path) -> None:
    scanner = Scanner({"fake": {"least": 1.0}}, cache_dir=cache_dir)
    strong, faint = scanner.grade("fire raise")
    assert ([f.category for f in strong], faint) == ([DETECTOR_ERROR], [])


@pytest.mark.parametrize("text", [FILLER * 3, "jan%40firma.de, ｊａｎ＠ｆｉｒｍａ．ｄｅ " + FILLER])
def test_what_is_graded_is_what_is_scanned(scanner: Scanner, text: str) -> None:
    assert scanner.grade(text) == (scanner.scan(text), [])
