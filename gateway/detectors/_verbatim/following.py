"""What follows texts in this process: registered works, and the request's own system prompt."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.judgement import DETECTOR_ERROR, Finding, Subject
from gateway.core.message import Kind, Part
from gateway.core.ports import Follow, Follower
from gateway.detectors._verbatim.prompt import LEAK, SYSTEM_PROMPT_LEAK, LeakFollower, Prompt, Told
from gateway.detectors._verbatim.reading import Piece, Reader
from gateway.detectors._verbatim.works import PROTECTED_TEXT, WORKS, Works, WorksFollower

VERSION = "1"
DETECTORS: Mapping[str, frozenset[str]] = {
    LEAK: frozenset({SYSTEM_PROMPT_LEAK}),
    WORKS: frozenset({PROTECTED_TEXT}),
}
RUN_WORDS = 25
LEAK_WORDS = 20
_SYSTEM = frozenset({"system", "developer"})
_USER = "user"
# How much of prompts is remembered, for most requests bring one that was seen before.
_REMEMBERED_CHARS = 2_000_000


class Following:
    """Implements `gateway.core.ports.Following`.

    works: those registered now; asked for once per message. run_words: how many words in a row
    of a work are reported. leak_words: how many of a system prompt.
    """

    detectors = DETECTORS

    def __init__(
        self,
        works: Callable[[], Works],
        *,
        run_words: int = RUN_WORDS,
        leak_words: int = LEAK_WORDS,
    ) -> None:
        self._works = works
        self._run_words = run_words
        self._leak_words = leak_words
        self._prompts = _Prompts()

    def open(self, detectors: Collection[str], said: Sequence[Part]) -> Follow | None:
        """What follows the texts of a message; None if there is nothing to be found."""
        works = self._works() if WORKS in detectors else None
        prompt = self._told(said) if LEAK in detectors else None
        if not works and prompt is None:
            return None

        def follow(subject: Subject) -> Follower | None:
            takers: dict[str, _Taker] = {}
            if works:
                takers[WORKS] = WorksFollower(works, self._run_words)
            # Some answers hold the request's own settings, as such.
            if prompt is not None and subject.role not in _SYSTEM:
                takers[LEAK] = LeakFollower(prompt, self._leak_words)
            return _Together(takers) if takers else None

        return follow

    def _told(self, said: Sequence[Part]) -> Told | None:
        texts = tuple(p.text for p in said if p.role in _SYSTEM and p.kind is Kind.TEXT)
        # Shorter words do not fit in as often.
        if sum(map(len, texts)) < self._leak_words:
            return None
        by_user = [p.text for p in said if p.role == _USER]
        return Told(self._prompts.get(texts), by_user)


class _Prompts:
    """Prompts that were seen lately, by a digest of their texts."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._kept: OrderedDict[bytes, tuple[Prompt, int]] = OrderedDict()
        self._chars = 0

    def get(self, texts: Sequence[str]) -> Prompt:
        """The prompt of these texts."""
        digest = hashlib.blake2b(key=self._key)
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        found = self._kept.get(digest.digest())
        if found is None:
            size = sum(map(len, texts))
            found = self._kept[digest.digest()] = Prompt(texts), size
            self._chars += size
            while self._chars > _REMEMBERED_CHARS and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                self._chars -= gone
        self._kept.move_to_end(digest.digest())
        return found[0]


class _Taker(Protocol):
    """One of those that read the same text together."""

    def take(self, piece: Piece) -> list[Finding]:
        """What is found by the next piece of the text."""

    def fork(self) -> _Taker:
        """The same, to go on in another way."""


@dataclass(slots=True)
class _Together:
    """Reads a text once for several. Implements `gateway.core.ports.Follower`.

    One of the two places where everything is caught. One that fails is asked no more: what it
    says afterwards could not be trusted.
    """

    takers: dict[str, _Taker]
    chars: int = 0
    reader: Reader = field(default_factory=Reader)

    def feed(self, text: str, *, final: bool) -> list[Finding]:
        """What all of them find."""
        start, self.chars = self.chars, self.chars + len(text)
        try:
            piece = self.reader.feed(text, final=final)
        except Exception as err:  # noqa: BLE001  the door of a detector
            failed, self.takers = [*self.takers], {}
            return [self._failure(name, start, err) for name in failed]
        found: list[Finding] = []
        for name, taker in list(self.takers.items()):
            try:
                found += taker.take(piece)
            except Exception as err:  # noqa: BLE001  the same door
                del self.takers[name]
                found.append(self._failure(name, start, err))
        return found

    def fork(self) -> _Together:
        """The same, to go on in another way."""
        takers = {name: taker.fork() for name, taker in self.takers.items()}
        return _Together(takers, self.chars, self.reader.fork())

    def _failure(self, name: str, start: int, err: Exception) -> Finding:
        return Finding(name, DETECTOR_ERROR, start, self.chars, 1.0, type(err).__name__)
