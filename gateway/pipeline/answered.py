"""The texts of an answer as its client gets them, so that they are known when they come again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.splice import apply
from gateway.pipeline.passage import Passage

MAX_ANSWER_CHARS = 1024 * 1024


class Answered:
    """The texts of an answer as its client gets them, while they leave."""

    def __init__(self) -> None:
        self._room = MAX_ANSWER_CHARS
        self._texts: dict[Passage, list[str]] = {}

    def keep(self, new: str, passage: Passage) -> None:
        """The next characters of a text as it came; of a very long answer only the first."""
        if len(new) <= self._room:
            self._room -= len(new)
            self._texts.setdefault(passage, []).append(new)

    def texts(self, notices: Sequence[str]) -> Iterator[str]:
        """What a client may send back: each text, without and with what was put under it."""
        under = "".join("\n\n" + words for words in notices)
        for passage, pieces in self._texts.items():
            came = "".join(pieces)
            text = apply(came, [edit for edit in passage.edits if edit.end <= len(came)])
            yield text
            if under:
                yield text + under
