from __future__ import annotations

from gateway.core.judgement import Subject
from gateway.core.message import Kind
from gateway.pipeline.passage import Passage


def test_a_text_that_has_ended_keeps_what_it_needs_to_go_on() -> None:
    passage = Passage(Subject("assistant", Kind.TEXT))
    passage.append("word " * 4_000)
    passage.close()
    passage.segment = passage.scanned = passage.cleared = passage.length
    passage.trim()
    passage.reopen()
    assert (passage.base, passage.segment, passage.ended) == (0, 0, 20_000)
    passage.append("more")
    assert passage.unscanned(8).endswith("word more")
