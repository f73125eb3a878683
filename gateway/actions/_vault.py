"""The vault: what goes out in place of originals, and back, for one exchange.

What goes out is drawn from the tenant's key, so that turns and replicas agree on it without
storing anything. It tells a model what kind of thing it stands for, and tells nobody without the
key anything else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace

from gateway.actions import _placeholders as words
from gateway.actions._surrogates import MAKERS
from gateway.actions._surrogates.drawing import Candidates, Draw
from gateway.core.judgement import USUAL, Manner
from gateway.core.message import Edit, Kind
from gateway.core.ports import Surroundings
from gateway.core.splice import apply, origin

_ATTEMPTS = 64
# What stands for a user's own text that could be taken for one of ours.
_ESCAPED = "TEXT"


def tenant_key(secret: bytes, tenant: str) -> bytes:
    """The key under which this tenant's placeholders are made: 32 bytes.

    secret: the gateway's own, at least 16 bytes, the same on all replicas. Raises ValueError
    for a shorter one.
    """
    if len(secret) < 16:
        raise ValueError("the vault secret must have at least 16 bytes")
    return hmac.digest(secret, b"vault\0" + tenant.encode(), hashlib.sha256)


class KeyedVault:
    """Implements `gateway.core.ports.Vault`. Lives for one exchange and is never shared.

    key: of the tenant, see `tenant_key`.
    """

    def __init__(self, key: bytes, around: Surroundings) -> None:
        self.restored = 0
        self.reach_chars = 0
        self._key = key
        self._around = around
        self._given: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._manners: dict[str, Manner] = {}
        self._placeholders: set[str] = set()
        self._surrogates: set[str] = set()
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None

    def placeholder(self, category: str, original: str, manner: Manner = USUAL) -> str:
        """What stands for this original: the same for the same tenant, always.

        The original is taken as it is written: another spelling has another placeholder, so that
        `restore` gives back what was there. A card number's is numbered, not drawn. manner:
        where several were asked for, it comes back only where all of them say so.
        """
        card = category == "CREDIT_CARD" or words.holds_card(original)
        maker = MAKERS.get(category) if manner.realistic and not card else None
        if maker is not None:
            word = maker(original, _Picking(self, manner))
            if word is not None:
                return word
        kind = words.kind_of(category)
        word = self._given.get((kind, original))
        if word is None:
            word = self._numbered(kind) if card else self._drawn(kind, original)
            self._placeholders.add(word)
        self._give(kind, original, word, manner)
        return word

    def settle(
        self, text: str, edits: Sequence[Edit], place: tuple[Kind, str] | None = None
    ) -> list[Edit]:
        """The edits of a text that goes out, so that `restore` brings back all of it.

        What could be taken for one of ours is replaced by a placeholder of its own, and so is
        what would not be known again, for the letters that it touches. What does not come back
        in a place stays where that place was: the model wrote it, and is to know it again.
        """
        edits = sorted(edits, key=lambda edit: edit.start)
        if not self._originals or not (edits or self.spans(text)):
            return edits
        for _ in range(_ATTEMPTS):
            changed = self._mended(text, edits, place)
            if changed is None:
                return edits
            edits = changed
        raise RuntimeError("a text cannot be told from the placeholders in it")

    def restore(
        self, text: str, start: int = 0, kind: Kind | None = None, tool: str = ""
    ) -> list[Edit]:
        """Edits that put originals back from `start` on, where they may stand.

        kind: what the text of an answer is for; None for a text of the request itself, to which
        all come back. tool: as for a Part.
        """
        return [
            Edit(first, last, self._originals[text[first:last]])
            for first, last in self.spans(text, start)
            if kind is None or self._manners[text[first:last]].restores(kind, tool)
        ]

    def spans(self, text: str, start: int = 0) -> list[tuple[int, int]]:
        """Where in a text what was given out stands, from `start` on, in order.

        Placeholders are known wherever they stand, surrogates only as whole words.
        """
        found: list[tuple[int, int]] = []
        if self._placeholders:
            for match in words.SHAPE.finditer(text, start):
                if match.group() in self._placeholders:
                    found.append(match.span())
                else:
                    found += self._within(text, *match.span())
        if self._surrogates:
            if self._pattern is None:
                longest_first = sorted(map(re.escape, self._surrogates), key=len, reverse=True)
                self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)")
            found += [match.span() for match in self._pattern.finditer(text, start)]
            found.sort()
        return found

    def pick(
        self, purpose: str, original: str, candidates: Candidates, like: str, manner: Manner
    ) -> str | None:
        """See `Pick`."""
        given = self._given.get((purpose, original))
        n = 0
        while given is None:
            candidate = candidates(Draw(self._key, purpose, like or original), n)
            if candidate is None:
                return None
            if self._originals.get(candidate, original) == original and not self._stands(candidate):
                given = candidate
            n += 1
        if given not in self._surrogates:
            self._surrogates.add(given)
            self._pattern = None
        self._give(purpose, original, given, manner)
        return given

    def days(self, limit: int) -> int:
        """See `Pick`."""
        return 1 + Draw(self._key, "days", self._around.opening).below(limit)

    def _give(self, kind: str, original: str, word: str, manner: Manner) -> None:
        self._given[kind, original] = word
        known = self._manners.get(word)
        self._manners[word] = known.also(manner) if known else manner
        self._originals[word] = original
        self.reach_chars = max(self.reach_chars, len(word))

    def _stands(self, candidate: str) -> bool:
        return candidate not in self._originals and self._around.holds(candidate)

    def _drawn(self, kind: str, original: str) -> str:
        for attempt in range(_ATTEMPTS):
            word = words.keyed(self._key, kind, original, attempt)
            if word not in self._originals and not self._around.bound(word):
                return word
        raise RuntimeError("no placeholder is free: the message names all of them")

    def _numbered(self, kind: str) -> str:
        word = ""
        while not word or self._around.bound(word):
            self._counts[kind] = self._counts.get(kind, 0) + 1
            word = words.numbered(kind, self._counts[kind])
        return word

    def _within(self, text: str, start: int, end: int) -> list[tuple[int, int]]:
        """Placeholders inside a longer word of capitals, digits and underscores, in order."""
        found: list[tuple[int, int]] = []
        while True:
            places = [(text.find(word, start, end), word) for word in self._placeholders]
            first, word = min((each for each in places if each[0] >= 0), default=(-1, ""))
            if first < 0:
                return found
            start = first + len(word)
            found.append((first, start))

    def _mended(
        self, text: str, edits: Sequence[Edit], place: tuple[Kind, str] | None
    ) -> list[Edit] | None:
        """The edits with one flaw less; None if there is none."""
        ours: dict[tuple[int, int], Edit] = {}
        grown = 0
        for edit in edits:
            first = edit.start + grown
            last = first + len(edit.replacement)
            if self._originals.get(edit.replacement) == text[edit.start : edit.end]:
                ours[first, last] = edit
            grown += len(edit.replacement) - (edit.end - edit.start)
        out = apply(text, edits)
        found = self.spans(out)
        for stretch, edit in ours.items():
            if stretch not in found:
                return self._escaped(text, edits, edit.start, edit.end)
        for first, last in found:
            if (first, last) not in ours:
                start, end = origin(edits, first, last)
                if text[start:end] == out[first:last] and self._ours(text[start:end], place):
                    continue
                return self._escaped(text, edits, start, end)
        return None

    def _ours(self, word: str, place: tuple[Kind, str] | None) -> bool:
        """Whether what stands in a text that was in this place is what we gave out."""
        if place is None or words.is_numbered(word):
            return False
        return not self._manners[word].restores(*place)

    def _escaped(self, text: str, edits: Sequence[Edit], start: int, end: int) -> list[Edit]:
        """The edits with a placeholder in place of [start, end), and of all edits it touches."""
        touched = [e for e in edits if e.start < end and e.end > start]
        start = min([start, *(e.start for e in touched)])
        end = max([end, *(e.end for e in touched)])
        manner = USUAL
        for edit in touched:
            manner = manner.also(self._manners.get(edit.replacement, manner))
        word = self.placeholder(_ESCAPED, text[start:end], replace(manner, realistic=False))
        others = [e for e in edits if e not in touched]
        return sorted([*others, Edit(start, end, word)], key=lambda edit: edit.start)


class _Picking:
    """Implements `Pick` for one original."""

    def __init__(self, vault: KeyedVault, manner: Manner) -> None:
        self._vault = vault
        self._manner = manner

    def __call__(
        self, purpose: str, original: str, candidates: Candidates, *, like: str = ""
    ) -> str | None:
        return self._vault.pick(purpose, original, candidates, like, self._manner)

    def days(self, limit: int) -> int:
        return self._vault.days(limit)
