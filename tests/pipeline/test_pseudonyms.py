"""What comes back is what was said: whatever was said, in every dialect, at every split."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import dialects
from gateway.actions._vault import KeyedVault
from gateway.core.calls import Call
from gateway.core.judgement import Finding, Manner
from gateway.core.message import Kind
from gateway.core.ports import Surroundings
from gateway.pipeline.settling import outside
from tests.pipeline.fakes import SSE, Backend, Bundle, Inspector, ask, chat, house
from tests.pipeline.mirrors import MIRRORS, Mirrored, Said

DIALECTS = dialects.load()


class Finder(Inspector):
    """Finds names, addresses and card numbers, as far as these tests have any."""

    patterns: Mapping[str, re.Pattern[str]] = {
        "EMAIL_ADDRESS": re.compile(r"(?<![A-Z0-9_.])[a-z0-9.]{1,30}@[a-z0-9.]{1,40}\.[a-z]{2,5}"),
        "PERSON": re.compile(r"(?:Anna|Bo|Robin|Aldberg)(?: (?:Berg|Aldberg))?"),
        "CREDIT_CARD": re.compile(r"4111 1111 1111 1111|5555555555554444"),
        "DATE_TIME": re.compile(r"\d{4}-\d\d-\d\d"),
    }
    triggers = (re.compile("@"), re.compile("Anna|Bo|Robin|Aldberg"), re.compile(r"\d"))
    detectors: Mapping[str, frozenset[str]] = {"fake": frozenset(patterns)}


REQUESTS = dict.fromkeys(Finder.patterns, "pseudonymise")
STYLES = [Manner(), Manner(realistic=True)]
known = KeyedVault(b"k" * 32, Surroundings())
PIECES = [
    "Anna",
    "Anna Berg",
    "Robin Aldberg",
    "a.lind@acme.com",
    "4111 1111 1111 1111",
    "5555555555554444",
    "2026-03-01",
    known.placeholder("PERSON", "Anna"),
    known.placeholder("TEXT", known.placeholder("PERSON", "Anna")),
    "[CARD_1]",
    "PERSON_K7Q2MX",
    '"\\\n',
    " ",
    "Ä x_",
]
texts = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text("aZ9_ .[]é", max_size=3)), min_size=1, max_size=6
).map("".join)
said = st.builds(Said, texts, texts, texts)
# Without what could be taken for a placeholder: see the tests of look-alikes below.
originals = st.lists(st.sampled_from(PIECES[:7]), min_size=1, max_size=4).map(" ".join)


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize("manner", STYLES, ids=["placeholders", "surrogates"])
@settings(deadline=None, max_examples=30)
@given(said=said, chars=st.integers(1, 9), cut=st.integers(1, 400))
def test_what_comes_back_is_what_was_said(
    name: str, manner: Manner, said: Said, chars: int, cut: int
) -> None:
    mirror = MIRRORS[name]
    backend = Mirrored(mirror, chars=chars, cut=cut)
    rules = Bundle(REQUESTS, manner=manner)
    asked = ask(
        house(backend, rules, inspector=Finder()),
        mirror.call(said),
        dialect=DIALECTS[mirror.dialect],
    )
    text, arguments = mirror.heard(asked.body)
    assert (text, arguments["to"], arguments["why"]) == (said.text, said.argument, said.result)


@pytest.mark.parametrize("name", MIRRORS)
def test_what_is_found_half_in_a_placeholder_leaves_it_whole(name: str) -> None:
    odd = "Anna.a.lind@acme.coma.lind@acme.com"
    backend, mirror = Mirrored(MIRRORS[name], chars=1, cut=1), MIRRORS[name]
    rules, call = Bundle(REQUESTS, manner=Manner()), mirror.call(Said("Anna", "Anna", odd))
    eager = Finder()
    eager.patterns = {**Finder.patterns, "EMAIL_ADDRESS": re.compile(r"[a-z0-9.]+@[a-z.]+")}
    asked = ask(house(backend, rules, inspector=eager), call, dialect=DIALECTS[mirror.dialect])
    told = mirror.heard(asked.body)[1]["why"]
    assert told.startswith("Anna.a.lind@acme.coma.lind")
    assert not told.endswith("@acme.com")


@pytest.mark.parametrize(
    ("finding", "made_up", "left"),
    [
        ((2, 6), [], [(2, 6)]),
        ((2, 6), [(0, 9)], []),
        ((2, 6), [(2, 6)], []),
        ((2, 6), [(0, 4)], [(4, 6)]),
        ((2, 6), [(4, 8)], [(2, 4)]),
        ((2, 6), [(3, 4), (5, 6)], [(2, 3), (4, 5)]),
        ((2, 6), [(0, 2), (6, 9)], [(2, 6)]),
        ((0, 0), [(0, 3)], [(0, 0)]),
    ],
)
def test_a_finding_counts_beside_what_was_made_up(
    finding: tuple[int, int], made_up: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    parts = outside(Finding("d", "C", *finding, 1.0), made_up)
    assert [(part.start, part.end) for part in parts] == left


def stream_of(manner: Manner, *turns: str, tenant_key: bytes = b"k" * 32) -> list[bytes]:
    """What goes upstream in each turn of a conversation, by a replica of its own each time."""
    sent = []
    for count in range(1, len(turns) + 1):
        backend = Backend(b"{}")
        messages = [{"role": "user", "content": turn} for turn in turns[:count]]
        replica = house(
            backend,
            Bundle(REQUESTS, manner=manner),
            inspector=Finder(),
            vault=lambda tenant, around: KeyedVault(tenant_key, around),
        )
        ask(replica, json.dumps({"model": "m", "messages": messages}).encode())
        sent += backend.bodies
    return sent


TURNS = (
    "Anna Berg, a.lind@acme.com, born 2026-03-01, pays by 4111 1111 1111 1111.",
    "And Robin Aldberg? Anna knows PERSON_K7Q2MX.",
    f"Not {known.placeholder('PERSON', 'Bo')}, but Bo. [CARD_1] is 5555555555554444.",
)


@pytest.mark.parametrize("manner", STYLES, ids=["placeholders", "surrogates"])
def test_a_provider_that_caches_what_it_has_read_finds_it_again(manner: Manner) -> None:
    turns = stream_of(manner, *TURNS)
    for earlier, later in itertools.pairwise(turns):
        assert later.startswith(earlier.removesuffix(b"]}"))
    assert turns == stream_of(manner, *TURNS)


@pytest.mark.parametrize("manner", STYLES, ids=["placeholders", "surrogates"])
def test_another_tenant_has_other_words(manner: Manner) -> None:
    ours = stream_of(manner, *TURNS[:2])[-1]
    theirs = stream_of(manner, *TURNS[:2], tenant_key=b"o" * 32)[-1]
    words = re.compile(rb"(?:PERSON|EMAIL|DATE)_\w{6}|\w+@[\w.]+")
    assert not (set(words.findall(ours)) & set(words.findall(theirs))) - {b"PERSON_K7Q2MX"}


class Blocking(Bundle):
    """What goes out is replaced, and an answer with anything in it is blocked."""

    def bind(self, context: object) -> Bundle:
        answers = getattr(context, "direction", "") == "response"
        return Bundle(dict.fromkeys(self.rules, "block")) if answers else self


@pytest.mark.parametrize("chars", [1, 4, 50])
def test_what_was_made_up_is_no_finding_in_an_answer(chars: int) -> None:
    mirror = MIRRORS["chat stream"]
    own = Said("Anna Berg", "a.lind@acme.com", "2026-03-01")
    rules = Blocking(REQUESTS, manner=Manner(realistic=True))
    backend = Mirrored(mirror, chars=chars, cut=99)
    asked = ask(house(backend, rules, inspector=Finder()), mirror.call(own))
    assert mirror.heard(asked.body) == (own.text, {"to": own.argument, "why": own.result})
    assert asked.exchange.response.findings == {}


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize("tool", ["mail", "log"])
def test_it_does_not_matter_where_an_answer_is_cut(name: str, tool: str) -> None:
    mirror, own = MIRRORS[name], Said("Anna Berg!", "Anna, Bo", 'a.lind@acme.com "')
    rules = Bundle(REQUESTS, manner=Manner(tools=(frozenset({tool}),)))
    for chars, cut in [(1, 1), (1, 400), (2, 7), (3, 30), (5, 9), (8, 64), (99, 2)]:
        backend = Mirrored(mirror, chars=chars, cut=cut)
        asked = ask(
            house(backend, rules, inspector=Finder()),
            mirror.call(own),
            dialect=DIALECTS[mirror.dialect],
        )
        text, arguments = mirror.heard(asked.body)
        wanted = own if tool == "mail" else backend.read
        assert text == own.text
        assert (arguments["to"], arguments["why"]) == (wanted.argument, wanted.result)


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize("realistic", [False, True])
def test_tools_get_originals_only_if_the_rule_says_so(name: str, realistic: bool) -> None:
    mirror = MIRRORS[name]
    manner = Manner(realistic, restore=frozenset({Kind.TEXT}))
    backend = Mirrored(mirror, chars=3, cut=50)
    asked = ask(
        house(backend, Bundle(REQUESTS, manner=manner), inspector=Finder()),
        mirror.call(Said("Write to Anna Berg.", "Anna Berg", "a.lind@acme.com")),
        dialect=DIALECTS[mirror.dialect],
    )
    text, arguments = mirror.heard(asked.body)
    assert text == "Write to Anna Berg."
    assert not re.search("Anna|Berg|acme", json.dumps(arguments))
    assert asked.exchange.restored in (1, 2)


def test_each_original_is_counted_once_however_the_answer_came() -> None:
    for chars in (1, 5, 99):
        backend = Mirrored(MIRRORS["chat stream"], chars=chars, cut=30)
        call = MIRRORS["chat stream"].call(Said("Bo and Bo", "Bo", "x"))
        asked = ask(house(backend, Bundle(REQUESTS), inspector=Finder()), call)
        assert asked.exchange.restored == 3


def test_nothing_of_an_original_is_in_the_record() -> None:
    backend = Mirrored(MIRRORS["chat stream"], chars=4, cut=64)
    parts = house(backend, Bundle(REQUESTS, manner=Manner(realistic=True)), inspector=Finder())
    ask(parts, chat(TURNS[0]))
    told = json.dumps([entry.core for entry in parts.sink.entries])  # type: ignore[attr-defined]
    assert not re.search("Anna|Berg|acme|4111|2026-03-01", told)


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize(
    ("tools", "comes_back"),
    [(["mail"], True), (["m*l", "x"], True), (["*"], True), (["mai", "Mail", "mail_*"], False)],
)
@settings(deadline=None, max_examples=6)
@given(
    said=st.builds(Said, originals, originals, originals),
    chars=st.integers(1, 9),
    cut=st.integers(1, 400),
)
def test_originals_come_back_into_the_tools_that_are_named(
    name: str, tools: list[str], comes_back: bool, said: Said, chars: int, cut: int
) -> None:
    mirror = MIRRORS[name]
    backend = Mirrored(mirror, chars=chars, cut=cut)
    rules = Bundle(REQUESTS, manner=Manner(tools=(frozenset(tools),)))
    asked = ask(
        house(backend, rules, inspector=Finder()),
        mirror.call(said),
        dialect=DIALECTS[mirror.dialect],
    )
    text, arguments = mirror.heard(asked.body)
    sent = backend.read
    wanted = said if comes_back else sent
    assert text == said.text
    assert (arguments["to"], arguments["why"]) == (wanted.argument, wanted.result)


ANNA = known.placeholder("PERSON", "Anna")
WORD = r"(?:\[[A-Z]+_\d+\]|[A-Z]+_[0-9A-Z]{6})"


def hidden(text: str) -> str:
    """A pattern of a text with words in place of its originals, and all else as it was."""
    found = sorted(m.span() for p in Finder.patterns.values() for m in p.finditer(text))
    pattern, done = "", 0
    for start, end in found:
        if start >= done:
            pattern += re.escape(text[done:start]) + WORD
        done = max(done, end)
    return pattern + re.escape(text[done:])


@pytest.mark.parametrize("name", MIRRORS)
@settings(deadline=None, max_examples=30)
@given(text=texts, chars=st.integers(1, 9), cut=st.integers(1, 400))
def test_a_tool_that_is_not_named_gets_the_users_own_words_as_they_are(
    name: str, text: str, chars: int, cut: int
) -> None:
    mirror = MIRRORS[name]
    backend = Mirrored(
        mirror, chars=chars, cut=cut, say=lambda read: Said(read.text, read.text, "x")
    )
    rules = Bundle(REQUESTS, manner=Manner(tools=(frozenset({"other"}),)))
    asked = ask(
        house(backend, rules, inspector=Finder()),
        mirror.call(Said(text, "x", "x")),
        dialect=DIALECTS[mirror.dialect],
    )
    heard, arguments = mirror.heard(asked.body)
    assert heard == text
    assert re.fullmatch(hidden(text), arguments["to"])


ONLY_OTHER = Manner(tools=(frozenset({"other"}),))
ONLY_TEXT = Manner(restore=frozenset({Kind.TEXT}))
ONLY_MAIL = Manner(tools=(frozenset({"mail"}),))
# manner, whether the tool `mail` has got a placeholder, whether some tool has
RETURNS = [
    (ONLY_OTHER, True, True),
    (ONLY_TEXT, True, True),
    (ONLY_MAIL, False, True),
    (Manner(restore=frozenset({Kind.TOOL_ARGUMENTS})), False, False),
    (Manner(), False, False),
]


@pytest.mark.parametrize("name", MIRRORS)
@pytest.mark.parametrize(("manner", "called", "answered"), RETURNS)
def test_a_model_knows_again_what_it_has_given_to_a_tool(
    name: str, manner: Manner, called: bool, answered: bool
) -> None:
    mirror = MIRRORS[name]
    backend = Mirrored(mirror, chars=3, cut=50, say=lambda read: Said(read.result, "x", "x"))
    asked = ask(
        house(backend, Bundle(REQUESTS, manner=manner), inspector=Finder()),
        mirror.call(Said(f"Anna, not {ANNA}", ANNA, f"sent to {ANNA}")),
        dialect=DIALECTS[mirror.dialect],
    )
    assert re.fullmatch(f"{ANNA}, not TEXT_[0-9A-Z]{{6}}", backend.read.text)
    assert (backend.read.argument == ANNA) == called
    assert (backend.read.result == f"sent to {ANNA}") == answered
    assert mirror.heard(asked.body)[0] == f"sent to {'Anna' if answered else ANNA}"


def test_a_number_in_what_a_tool_was_given_may_be_another_card_by_now() -> None:
    mirror = MIRRORS["chat"]
    backend = Mirrored(mirror, chars=3, cut=50)
    rules = Bundle(REQUESTS, manner=ONLY_OTHER)
    said = Said("Pay by 5555555555554444", "[CARD_1]", "paid by [CARD_1]")
    asked = ask(house(backend, rules, inspector=Finder()), mirror.call(said))
    assert backend.read.text == "Pay by [CARD_1]"
    assert "[CARD_1]" not in backend.read.argument + backend.read.result
    arguments = mirror.heard(asked.body)[1]
    assert arguments == {"to": "[CARD_1]", "why": "paid by [CARD_1]"}


Piece = dict[str, object]


def gemini_calls(*calls: Piece | list[Piece]) -> bytes:
    """An answer of Gemini's, each of these in a chunk of its own."""
    several = [each if isinstance(each, list) else [each] for each in calls]
    chunks: list[Piece] = [
        {"candidates": [{"content": {"parts": [{"functionCall": call} for call in each]}}]}
        for each in several
    ]
    chunks.append({"candidates": [{"finishReason": "STOP"}]})
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()


def piece(text: str, **more: str) -> Piece:
    return {"partialArgs": [{"jsonPath": "$.to", "stringValue": text}], **more}


HALVES = ANNA[:5], ANNA[5:]
# pieces of calls -> what stands in each of them
TWO_CALLS: dict[str, tuple[list[Piece | list[Piece]], list[str]]] = {
    "one after the other": (
        [
            {"name": "mail"}, *map(piece, HALVES), {},
            {"name": "log"}, *map(piece, HALVES), {},
        ],
        ["Anna", "", *HALVES],
    ),
    "in turns, by their ids": (
        [
            {"name": "log", "id": "a"}, {"name": "mail", "id": "b"},
            piece(HALVES[0], id="a"), piece(HALVES[0], id="b"),
            piece(HALVES[1], id="a"), piece(HALVES[1], id="b"),
        ],
        [HALVES[0], "Anna", HALVES[1], ""],
    ),
    "an id that nothing began with": (
        [{"name": "mail", "id": "b"}, *(piece(half, id="c") for half in HALVES)],
        [*HALVES],
    ),
    "an id of two names": (
        [{"name": "mail", "id": "b"}, {"name": "log", "id": "b"},
         *(piece(half, id="b") for half in HALVES)],
        [*HALVES],
    ),
    "two that begin at once": (
        [[{"name": "log"}, {"name": "mail"}], *map(piece, HALVES)],
        [*HALVES],
    ),
    "no id behind two that have one": (
        [{"name": "log", "id": "a"}, {"name": "mail", "id": "b"}, *map(piece, HALVES)],
        ["Anna", ""],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TWO_CALLS)
def test_a_piece_of_a_call_is_for_the_tool_that_its_id_names(case: str) -> None:
    calls, wanted = TWO_CALLS[case]
    backend = Backend(gemini_calls(*calls), kind=SSE)
    request = Call(b'{"contents":[{"parts":[{"text":"Anna"}]}]}', params={"model": "m"})
    rules = house(backend, Bundle(REQUESTS, manner=ONLY_MAIL), inspector=Finder())
    body = ask(rules, request, dialect=DIALECTS["gemini_stream"]).body.decode()
    chunks = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]
    contents = [chunk["candidates"][0].get("content", {}) for chunk in chunks]
    found = [part["functionCall"] for content in contents for part in content.get("parts", ())]
    told = [each["stringValue"] for call in found for each in call.get("partialArgs", ())]
    assert told == wanted
