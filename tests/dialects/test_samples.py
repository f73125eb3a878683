"""What holds for every wire sample of every dialect."""

from __future__ import annotations

import asyncio
import itertools
import re

import pytest

from tests.dialects.samples import ALL, Sample, answers, requests
from tests.pipeline import fakes
from tests.pipeline.fakes import Backend, Bundle, Shelf, ask_async, call_of, cuts, house

SAMPLES = answers()
EMAIL = re.compile(fakes.EMAIL.pattern.encode())
REQUESTS = [(ALL[name], path) for name in ALL for path in requests(name)]


async def through(sample: Sample, bundle: Bundle, *ends: int) -> tuple[list[bytes], bytes]:
    """What the upstream got, and what the client got of an answer cut at these positions."""
    marks = [0, *ends, len(sample.answer)]
    pieces = [sample.answer[a:b] for a, b in itertools.pairwise(marks)]
    backend = Backend(*pieces, kind=sample.content_type)
    asked = await ask_async(
        house(backend, bundle, shelf=Shelf(own="m")), sample.call, dialect=sample.dialect
    )
    return backend.bodies, asked.body


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_policy_that_changes_nothing_changes_no_byte(sample: Sample) -> None:
    async def each() -> None:
        for ends in cuts(len(sample.answer)):
            sent, got = await through(sample, Bundle({}), *ends)
            assert (sent, got) == ([sample.call.body], sample.answer)

    asyncio.run(each())


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if EMAIL.search(s.answer) and b"\\r\\n" not in s.answer], ids=str
)
def test_what_is_redacted_does_not_depend_on_how_an_answer_was_cut(sample: Sample) -> None:
    bundle = Bundle({"EMAIL_ADDRESS": "redact"})

    async def each() -> None:
        _, whole = await through(sample, bundle)
        assert not EMAIL.search(whole)
        for at in range(1, len(sample.answer), max(1, len(sample.answer) // 400)):
            assert (await through(sample, bundle, at))[1] == whole

    asyncio.run(each())


@pytest.mark.parametrize(("dialect", "path"), REQUESTS, ids=lambda v: getattr(v, "stem", ""))
def test_a_redacted_request_keeps_every_other_byte(dialect, path) -> None:  # type: ignore[no-untyped-def]
    call = call_of(path)
    backend = Backend(b"{}")
    bundle = Bundle({"EMAIL_ADDRESS": "redact"})
    asyncio.run(ask_async(house(backend, bundle, shelf=Shelf(own="m")), call, dialect=dialect))
    (sent,) = backend.bodies
    written = call.body.replace(b"\\u0040", b"@")
    assert EMAIL.sub(b"", sent).replace(b"[EMAIL_ADDRESS]", b"") == EMAIL.sub(b"", written)
