"""What is encoded is judged like what is not, however it arrives, by the real look-out."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pipeline.guard import _BATCH_CHARS
from tests.pipeline.fakes import SSE, Backend, Bundle, ask, chat, heard, house
from tests.pipeline.seeing import Seeing
from tests.pipeline.test_split import streamed

RULES = Bundle(dict.fromkeys(["EMAIL_ADDRESS", "KEY", "CREDIT_CARD"], "redact"))
MAIL, KEY, CARD = "jan.x@firma.de", "key-0a1b2c3d", "4111 1111 1111 1111"


@cache
def inspector() -> Seeing:
    return Seeing()


def unary(text: str) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    backend = Backend(json.dumps({"choices": [choice]}).encode())
    body = ask(house(backend, RULES, inspector=inspector()), chat()).body
    said: str = json.loads(body)["choices"][0]["message"]["content"]
    return said


def stream(text: str, size: int) -> tuple[str, list[bytes]]:
    """What a client hears of a text that arrives in pieces of this size, and as it came."""
    events = [event + b"\n\n" for event in streamed(text, size).split(b"\n\n") if event]
    backend = Backend(*events, kind=SSE)
    asked = ask(house(backend, RULES, inspector=inspector()), chat(stream=True))
    return heard(asked.body).get("0/content", ""), asked.pieces


def entities(text: str, form: str = "&#{};") -> str:
    return "".join(form.format(ord(char)) for char in text)


# text -> what a client hears of it
TEXTS = {
    "Write to jan&#64;firma.de today.": "Write to [EMAIL_ADDRESS] today.",
    "Write to jan%40firma%2Ede today.": "Write to [EMAIL_ADDRESS] today.",
    "Write to jan%2540firma.de today.": "Write to [EMAIL_ADDRESS] today.",
    "Write to jan&amp;commat;firma.de today.": "Write to [EMAIL_ADDRESS] today.",
    "Write to j\u200ba\u200bn@firma.de today.": "Write to [EMAIL_ADDRESS] today.",
    f"Write to {entities(MAIL)} today.": "Write to [EMAIL_ADDRESS] today.",
    f"Write to {entities(MAIL, '&#x{:012x};')} today.": "Write to [EMAIL_ADDRESS] today.",
    f"Use {KEY[:6]}{chr(0x2060) * 300}{KEY[6:]}.": "Use [KEY].",
    f"Write to {'a' * 30}&#x000000000040;firma.de now.": "Write to [EMAIL_ADDRESS] now.",
    "Use ｋｅｙ－０a1b2c3d.": "Use [KEY].",
    r"Use key\u002d0a1b2c3d.": "Use [KEY].",
    f"Pay with {CARD.replace(' ', '&nbsp;')} now": "Pay with [CREDIT_CARD] now",
    "Up 50%40 or 20% &amp; more, \u200bno 👩\u200d💻 key.": None,
    "https://x.example/?q=a%20b%2Fc&d=%31%32": None,
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_stream_cut_anywhere_says_what_the_whole_answer_says(text: str) -> None:
    said = unary(text)
    assert said == (TEXTS[text] or text)
    for size in (*range(1, 12), 40):
        assert stream(text, size)[0] == said, size


@pytest.mark.parametrize("first", range(20))
def test_a_value_cut_anywhere_leaves_no_trace(first: int) -> None:
    secret = entities(MAIL, "&#x{:012x};")
    for at in range(first, len(secret), 20):
        chunks = ["Write to ", secret[:at], secret[at:], " today, " + "and so on " * 20]
        deltas = [{"choices": [{"index": 0, "delta": {"content": c}}]} for c in chunks]
        backend = Backend(*(b"data: " + json.dumps(d).encode() + b"\n\n" for d in deltas), kind=SSE)
        asked = ask(house(backend, RULES, inspector=inspector()), chat(stream=True))
        assert heard(asked.body)["0/content"].startswith("Write to [EMAIL_ADDRESS] today")


FILLER = "x" * 930
# A segment ends within the value, and what of it stands before that is longer than the reach.
ACROSS = {
    "plain end": FILLER + entities("4111 1111", "&#{:012};") + " 1111 1111 and " + "y" * 300,
    "marks after": FILLER + "4111 1111" + "\u200b" * 120 + " 1111 1111\u200b and " + "y" * 300,
}


@pytest.mark.parametrize("name", ACROSS)
def test_a_value_that_two_segments_share_is_replaced_whole(name: str) -> None:
    said = unary(ACROSS[name])
    assert "[CREDIT_CARD]" in said
    assert "4111" not in said
    for size in (1, 7, 300):
        assert stream(ACROSS[name], size)[0] == said


def written(char: str) -> st.SearchStrategy[str]:
    code = ord(char)
    ways = [char, f"&#{code};", f"&#x{code:x};", f"%{code:02x}", f"%25{code:02x}", f"\\u{code:04x}"]
    more = [char + "\u200b", char + "\u2060" * 60, f"&amp;#{code};", f"&#x{code:012x};"]
    return st.sampled_from([char] * 8 + ways + more)


VALUES = st.sampled_from([MAIL, KEY, CARD]).flatmap(
    lambda value: st.tuples(*map(written, value)).map("".join)
)
FILL = st.sampled_from(
    ["", "and so it went ", "word. ", "100% & more ", "👩\u200d💻 ❤️ ", "%41", "%4", "&#", "&amp;"]
)
FILL |= st.sampled_from(["x" * 37, "x" * 210, " ", "\n", "\u200b", " \u200b"])


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES | FILL, min_size=1, max_size=20).map("".join), st.integers(1, 50))
def test_any_text_says_the_same_in_any_pieces(text: str, size: int) -> None:
    said, pieces = stream(text, size)
    assert said == unary(text)
    released = b""
    for piece in pieces:
        released += piece
        assert said.startswith(heard(released).get("0/content", ""))


def test_text_without_marks_waits_no_longer_for_them() -> None:
    text = "Nothing to see here, only words and 50% & more words \\o/ ❤️ 1️⃣ ok. " * 9
    _, pieces = stream(text, 1)
    before_end = heard(b"".join(pieces[:-2]))["0/content"]
    assert len(text) - len(before_end) < inspector().reach_chars + 2 * _BATCH_CHARS


def url(text: str, head: str = "data:text/plain;charset=utf-8;base64,") -> str:
    return head + base64.b64encode(text.encode()).decode()


def sent(content: Any) -> Any:
    backend = Backend(b"{}")
    asked = ask(house(backend, RULES, inspector=inspector()), chat(content))
    assert asked.status == 200
    return json.loads(backend.bodies[0])["messages"][0]["content"]


def test_text_in_a_data_url_is_judged_and_written_back() -> None:
    def item(text: str) -> list[Any]:
        return [{"type": "file", "file": {"file_data": url(text), "filename": "a.txt"}}]

    assert sent(item(f"Grüße an {MAIL} und jan&#64;firma.de.")) == item(
        "Grüße an [EMAIL_ADDRESS] und [EMAIL_ADDRESS]."
    )


def test_a_data_url_that_is_percent_encoded_is_a_text() -> None:
    content = [{"type": "image_url", "image_url": {"url": "data:text/plain,to%20jan%40firma.de"}}]
    assert sent(content)[0]["image_url"]["url"] == "data:text/plain,to%20[EMAIL_ADDRESS]"
