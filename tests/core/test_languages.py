from __future__ import annotations

import pytest

from gateway.core.languages import accepted, choose, readable

HEADERS = [
    ("", ()),
    ("de", ("de",)),
    ("de-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ("de-ch", "fr", "en")),
    ("en;q=0.3,de;q=0.30, fr;q=1.0 , es", ("fr", "es", "en", "de")),
    ("zh-Hant-TW;Q=0.5,es-419", ("es-419", "zh-hant-tw")),
    ("de;q=0, fr", ("fr",)),
    ("de, de;q=0.1, fr;q=0.5", ("de", "fr")),
    ("*", ()),
    ("de;q=2, fr;q=-1, es;q=0.1234, it;level=1", ()),
    ("about alice, <script>, de_DE, " + "x" * 40, ()),
    ("," * 5_000 + "de", ()),
]


@pytest.mark.parametrize(("header", "languages"), HEADERS)
def test_languages_are_ranked_by_their_quality(header: str, languages: tuple[str, ...]) -> None:
    assert accepted(header) == languages


@pytest.mark.parametrize(
    ("languages", "tags"),
    [
        ((), ()),
        (("fr",), ("fr",)),
        (("de-ch", "en"), ("de", "en")),
        (("pt",), ("pt-br", "pt-pt")),
        (("pt-pt", "fr"), ("pt-pt", "fr")),
        (("es-419", "de"), ("de",)),
        (("en-gb", "en"), ("en",)),
        (("d",), ()),
    ],
)
def test_a_range_finds_what_its_reader_can_read(
    languages: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    assert readable(languages, {"en", "de", "fr", "pt-br", "pt-pt"}) == tags


@pytest.mark.parametrize(
    ("tags", "languages", "text"),
    [
        ("de en", ("de", "en"), "de"),
        ("de en", ("fr", "en", "de"), "en"),
        ("de en", (), "en"),
        ("de fr", ("es",), "de"),
        ("", ("de",), ""),
    ],
)
def test_english_stands_in_and_then_the_first(
    tags: str, languages: tuple[str, ...], text: str
) -> None:
    assert choose({tag: tag for tag in tags.split()}, languages) == text
